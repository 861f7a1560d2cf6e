import { describe, expect, it } from 'vitest';
import { kindOf } from './packet-kind.js';
import { aliasOf, directedLinks, portsOf, translatorOf, type Place } from './relay-plan.js';

const place = (id: string, index: number): Place => ({
  id,
  host: `127.0.0.${10 + index}`,
  index,
  tcpPorts: [1],
  udpPorts: { from: 40, to: 42 },
});
const places = [place('nyc', 1), place('lon', 2), place('cpt', 3)];

describe('the plan of the links', () => {
  it('joins every two places in both directions', () => {
    expect(directedLinks(places).map(({ from, to }) => `${from.id}>${to.id}`)).toEqual([
      'nyc>lon',
      'nyc>cpt',
      'lon>nyc',
      'lon>cpt',
      'cpt>nyc',
      'cpt>lon',
    ]);
  });

  it('gives every direction an alias of its own', () => {
    expect(new Set(directedLinks(places).map(({ from, to }) => aliasOf(from, to))).size).toBe(6);
    expect(aliasOf(places[0]!, places[1]!)).toBe('127.20.1.2');
  });

  it('leads a place to the others by their aliases, and leaves every other host alone', () => {
    const translate = translatorOf(places, 'lon');
    expect(['127.0.0.11', '127.0.0.13', '127.0.0.12', '127.0.0.10', 'example.org'].map(translate)).toEqual([
      '127.20.2.1',
      '127.20.2.3',
      '127.0.0.12',
      '127.0.0.10',
      'example.org',
    ]);
    expect(translatorOf(places, 'oslo')('127.0.0.11')).toBe('127.0.0.11');
  });

  it('opens every RTP port of a place, the last one too', () => {
    expect(portsOf(places[0]!)).toEqual([40, 41, 42]);
  });
});

describe('a packet', () => {
  const packet = (...start: number[]) => Uint8Array.from([...start, ...new Array<number>(20).fill(0)]);

  it.each([
    ['audio', packet(0x80, 100)],
    ['audio', packet(0x90, 0x80 | 100)],
    ['video', packet(0x80, 101)],
    ['video', packet(0x80, 0x80 | 101)],
    ['retransmission', packet(0x80, 102)],
    ['rtcp', packet(0x81, 200)],
    ['rtcp', packet(0x81, 206)],
    ['other', packet(0x80, 96)],
    ['other', packet(0x00, 1)],
    ['other', Uint8Array.of()],
    ['other', Uint8Array.of(0x80, 101)],
  ] as const)('is %s by its header', (kind, bytes) => {
    expect(kindOf(bytes)).toBe(kind);
  });
});
