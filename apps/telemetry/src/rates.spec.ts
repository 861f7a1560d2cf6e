import { describe, expect, it } from 'vitest';
import { Odometer } from './odometer.js';
import { NO_TRAFFIC, Rates } from './rates.js';

const traffic = (video: number, audio = 0, rtcp = 0) => ({ videoBytes: video, audioBytes: audio, rtcpBytes: rtcp });

describe('rates', () => {
  it('are the mean over the last seconds, by kind', () => {
    const rates = new Rates();
    for (let second = 0; second <= 20; second++)
      rates.note('a', second * 1000, traffic(second * 125_000, second * 5_000, second * 250), second * 1000);
    expect(rates.of('a', 20_000)).toEqual({ videoKbps: 1000, audioKbps: 40, rtcpKbps: 2 });
  });

  it('follow a change within a few seconds', () => {
    const rates = new Rates();
    let bytes = 0;
    for (let second = 0; second <= 20; second++)
      rates.note('a', second * 1000, traffic((bytes += second <= 10 ? 125_000 : 12_500)), second * 1000);
    expect(rates.of('a', 20_000).videoKbps).toBe(100);
  });

  it('do not mind when reports arrive in a bunch, because time is the counter’s own', () => {
    const rates = new Rates();
    for (let second = 0; second <= 30; second++) rates.note('a', second * 1000, traffic(second * 125_000), 90_000);
    expect(rates.of('a', 90_000).videoKbps).toBe(1000);
  });

  it('are nothing, never negative, after a counter began anew or a clock stepped back', () => {
    const rates = new Rates();
    rates.note('a', 1000, traffic(1_000_000), 1000);
    rates.note('a', 2000, traffic(10), 2000);
    expect(rates.of('a', 2000)).toEqual(NO_TRAFFIC);
    rates.note('a', 3000, traffic(125_010), 3000);
    expect(rates.of('a', 3000).videoKbps).toBe(1000);
    rates.note('a', 500, traffic(126_000), 4000);
    expect(rates.of('a', 4000)).toEqual(NO_TRAFFIC);
  });

  it('end when nobody mentions the counter any more', () => {
    const rates = new Rates();
    rates.note('a', 0, traffic(0), 0);
    rates.note('a', 1000, traffic(125_000), 1000);
    expect(rates.of('a', 3_900).videoKbps).toBe(1000);
    expect(rates.of('a', 4_100)).toEqual(NO_TRAFFIC);
    expect(rates.of('b', 0)).toEqual(NO_TRAFFIC);
  });
});

describe('an odometer', () => {
  it('only grows, though the counters it adds up begin anew and end', () => {
    const odometer = new Odometer();
    const total = () => odometer.entries().find(([label]) => label === 'lon')?.[1].videoBytes;
    odometer.note('n1>x:c1', 'lon', traffic(100));
    odometer.note('n1>x:c2', 'lon', traffic(50));
    odometer.note('n1>x:c1', 'lon', traffic(150));
    expect(total()).toBe(200);
    odometer.forgetExcept('n1', new Set(['n1>x:c2']));
    odometer.note('n1>x:c2', 'lon', traffic(60));
    expect(total()).toBe(210);
    odometer.note('n1>x:c1', 'lon', traffic(5));
    expect(total()).toBe(215);
    odometer.note('n1>x:c2', 'lon', traffic(0));
    expect(total()).toBe(215);
  });
});
