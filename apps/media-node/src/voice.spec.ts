import { beforeEach, describe, expect, it } from 'vitest';
import type { LegId } from '@isthmus/conference';
import type { Dbov, MediaRoom, Stream, VoiceHandlers } from '@isthmus/media-mediasoup';
import type { NodeId } from '@isthmus/placement';
import type { Arriving } from './streams.js';
import { Voices } from './voice.js';

const ANA = 'nyc-ana' as LegId;
const BEN = 'nyc-ben' as LegId;
const CHEN = 'lon-chen' as LegId;
const LONDON = 'lon-0' as NodeId;
const SPEECH: Dbov = -25;
const PACKET_MS = 20;
/** mediasoup tells of levels so often. */
const LEVELS_MS = 240;

let now: number;
let voices: Voices;
let began: LegId[];
let levels: VoiceHandlers;
/** London's node says when a voice begins. */
let londonTells: boolean;
let took: { readonly leg: LegId; readonly at: number }[];
const ears = new Map<string, { listening: boolean; packets: number; level: (level: Dbov) => void }>();

/** A room that tells what it is told to. Its ears pass packets on only while they listen, as mediasoup's do. */
const room = {
  voices: async (handlers: VoiceHandlers) => {
    levels = handlers;
    return {
      add: async () => undefined,
      ear: async ({ id }: Stream, level: (level: Dbov) => void) => {
        const ear = {
          listening: true,
          packets: 0,
          level,
          listen: async (on: boolean) => void (ear.listening = on),
          close: () => undefined,
        };
        ears.set(id, ear);
        return ear;
      },
      close: () => undefined,
    };
  },
} as unknown as MediaRoom;

const speak = (legs: readonly LegId[], untilMs: number) => {
  for (; now < untilMs; now += PACKET_MS) {
    for (const leg of legs) {
      const ear = ears.get(leg);
      if (!ear?.listening) continue;
      ear.packets += 1;
      ear.level(SPEECH);
    }
    if (now % LEVELS_MS === 0) levels.audible(legs.map((leg) => ({ streamId: leg, level: SPEECH })));
    if (now % 1_000 === 0) voices.tick();
  }
};

describe('whoever listens to voices', () => {
  beforeEach(async () => {
    now = 0;
    took = [];
    londonTells = true;
    ears.clear();
    const ignored = () => undefined;
    const events = {
      onset: (leg: LegId) => began.push(leg),
      speaking: ignored,
      floor: (leg: LegId) => took.push({ leg, at: now }),
      failed: ignored,
      isTold: ({ from }: Pick<Arriving, 'from'>) => from === LONDON && londonTells,
    };
    began = [];
    voices = await Voices.over(room, events, () => now);
    for (const leg of [ANA, BEN, CHEN]) {
      const stream = { id: leg, closed: false, onClosed: ignored } as unknown as Stream;
      await voices.add({ leg, stream, from: leg === CHEN ? LONDON : 'client' } as Arriving);
    }
    voices.tick();
    return () => voices.close();
  });

  it('hears the packets of one who speaks alone no longer than until the floor is taken and levels tell of them', () => {
    speak([ANA], 10_000);
    expect(took[0]).toEqual({ leg: ANA, at: 180 });
    expect(ears.get(ANA)?.packets).toBeLessThan(500 / PACKET_MS);
    expect(ears.get(BEN)?.listening).toBe(true);
  });

  it('hears every packet of one who has the floor again as soon as another begins', () => {
    speak([ANA], 3_000);
    expect(ears.get(ANA)?.listening).toBe(false);
    speak([ANA, BEN], 3_080);
    expect(ears.get(ANA)?.listening).toBe(true);
  });

  it('gives the floor to who begins when the other ends, and to nobody who only interrupts', () => {
    speak([ANA], 3_000);
    speak([ANA, BEN], 4_000);
    expect(took.every(({ leg }) => leg === ANA)).toBe(true);
    speak([BEN], 5_000);
    expect(took.find(({ leg }) => leg === BEN)?.at).toBeLessThan(4_600);
  });

  it('hears one who has the floor and falls silent again from the first packet on', () => {
    speak([ANA], 3_000);
    speak([], 4_500);
    expect(ears.get(ANA)?.listening).toBe(true);
  });

  it('does not listen to silence of which another site says when it ends, and hears all that then follows', () => {
    expect(ears.get(CHEN)?.listening).toBe(false);
    now = 2_000;
    voices.told(LONDON, { leg: CHEN, level: SPEECH });
    expect(ears.get(CHEN)?.listening).toBe(true);
    expect(began).toEqual([CHEN]);
    now += PACKET_MS;
    speak([CHEN], 2_500);
    // No later than by its own packets: two of the six are those that London has heard.
    expect(took[0]).toEqual({ leg: CHEN, at: 2_180 });
    speak([CHEN], 6_000);
    expect(ears.get(CHEN)?.packets).toBeLessThan(500 / PACKET_MS);
    speak([], 8_000);
    expect(ears.get(CHEN)?.listening).toBe(false);
  });

  it('heeds nobody but the node that a voice comes from', () => {
    voices.told('cpt-0' as NodeId, { leg: CHEN, level: SPEECH });
    expect(began).toEqual([]);
    expect(ears.get(CHEN)?.listening).toBe(false);
  });

  it('listens itself as long as nobody tells, as when the link is down or the other node is of an older version', () => {
    londonTells = false;
    voices.tick();
    expect(ears.get(CHEN)?.listening).toBe(true);
    now = 2_000;
    speak([CHEN], 2_400);
    expect(took[0]).toEqual({ leg: CHEN, at: 2_180 });
  });

  it('listens itself again once it notices a voice of which it was not told, until it is told', () => {
    speak([CHEN], 1_000);
    expect(took[0]?.leg).toBe(CHEN);
    speak([], 4_000);
    expect(ears.get(CHEN)?.listening).toBe(true);
    voices.told(LONDON, { leg: CHEN, level: SPEECH });
    speak([], 8_000);
    expect(ears.get(CHEN)?.listening).toBe(false);
  });
});
