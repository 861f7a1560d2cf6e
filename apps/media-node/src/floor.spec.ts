import { beforeEach, describe, expect, it } from 'vitest';
import type { LegId } from '@isthmus/conference';
import { FloorDetector } from './floor.js';

const ANA = 'nyc-ana' as LegId;
const BEN = 'nyc-ben' as LegId;
const SPEECH = -25;
const NOISE = -70;
const PACKET_MS = 20;

let floor: FloorDetector;
beforeEach(() => {
  floor = new FloorDetector();
});

/** Packets of one microphone from one time to another. What was taken, and when. */
const speak = (leg: LegId, from: number, to: number, level = SPEECH) => {
  let taken: { readonly leg: LegId; readonly at: number } | undefined;
  let onsets = 0;
  for (let at = from; at < to; at += PACKET_MS) {
    const { onset, took } = floor.packet(leg, level, at);
    if (onset) onsets++;
    if (took !== undefined) taken ??= { leg: took, at };
  }
  return { taken, onsets };
};

describe('the floor', () => {
  it('is taken by a single voice within 200 ms, and its onset is told after 20', () => {
    const { taken, onsets } = speak(ANA, 1_000, 2_000);
    expect(taken).toEqual({ leg: ANA, at: 1_180 });
    expect(onsets).toBe(1);
  });

  it('is not taken by a click or by noise', () => {
    expect(speak(ANA, 1_000, 1_100).taken).toBeUndefined();
    speak(ANA, 1_100, 1_400, NOISE);
    expect(speak(ANA, 1_400, 1_500).taken).toBeUndefined();
    expect(speak(BEN, 1_000, 5_000, NOISE).taken).toBeUndefined();
  });

  it('passes on as soon as the one who had it has been silent for 300 ms', () => {
    speak(ANA, 0, 2_000);
    expect(speak(BEN, 2_200, 3_000).taken).toEqual({ leg: BEN, at: 2_380 });
  });

  it('stays with the one who speaks when another interrupts, until the dominant-speaker algorithm says otherwise', () => {
    for (let at = 0; at < 3_000; at += PACKET_MS) {
      expect(floor.packet(ANA, SPEECH, at).took).toBe(at === 180 ? ANA : undefined);
      if (at >= 1_500) expect(floor.packet(BEN, SPEECH, at).took).toBeUndefined();
    }
    expect(floor.dominates(BEN, 3_000).took).toBe(BEN);
  });

  it('passes to the interrupter once the other stops, although nobody listens to single packets any more', () => {
    speak(ANA, 0, 2_000);
    const both = [ANA, BEN].map((leg) => ({ leg, level: SPEECH }));
    expect(floor.audible(both, 2_000).took).toBeUndefined();
    expect(floor.audible([{ leg: BEN, level: SPEECH }], 2_250).took).toBeUndefined();
    expect(floor.audible([{ leg: BEN, level: SPEECH }], 2_500).took).toBe(BEN);
  });

  it('is not given to somebody whom nobody hears, whatever the algorithm says', () => {
    expect(floor.dominates(ANA, 1_000).took).toBeUndefined();
  });

  it('changes at most once a second', () => {
    speak(ANA, 0, 300);
    expect(speak(BEN, 700, 1_100).taken).toBeUndefined();
    expect(speak(BEN, 1_100, 1_400).taken).toEqual({ leg: BEN, at: 1_180 });
  });

  it('shows who says a short word, for a moment, and nobody who clicks', () => {
    speak(BEN, 1_000, 1_060);
    expect(floor.heard(1_060)).toEqual([]);
    expect(speak(ANA, 1_000, 1_100).taken).toBeUndefined();
    expect(floor.heard(1_100)).toEqual([ANA]);
    expect(floor.heard(1_600)).toEqual([ANA]);
    expect(floor.heard(1_700)).toEqual([]);
  });

  it('shows the loudest of those who speak first, whether single packets or quarter seconds tell of them', () => {
    speak(ANA, 1_000, 1_200, -40);
    floor.audible([{ leg: BEN, level: SPEECH }], 1_200);
    expect(floor.heard(1_250)).toEqual([BEN, ANA]);
  });

  it('is free when its holder has left', () => {
    speak(ANA, 0, 2_000);
    floor.gone(ANA);
    expect(speak(BEN, 2_000, 2_400).taken).toEqual({ leg: BEN, at: 2_180 });
  });
});
