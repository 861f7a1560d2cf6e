import type { LegId } from '@isthmus/conference';
import { AUDIBLE_AT, type Dbov } from '@isthmus/media-mediasoup';

/** A voice counts once it has lasted so long: shorter than a word, longer than a click. ms */
const SUSTAINED_MS = 180;
const SUSTAINED_PACKETS = 6;
/** A voice is said to begin with so many loud packets. */
export const ONSET_PACKETS = 2;
/** For those who only see that somebody speaks, this is more than a click, and a "yes" still shows. */
const HEARD_PACKETS = 4;
/** Between the syllables of one word. */
const GAP_MS = 140;
/** After this, whoever had the floor has stopped, and a new voice need not wait for the overlap to be judged. */
const FLOOR_FREE_AFTER_MS = 300;
/** White paper: people follow the picture; it must not flicker. */
const SWITCH_INTERVAL_MS = 1_000;
/** Somebody heard this recently still is speaking, as mediasoup's quarter-second levels tell it. */
const RECENTLY_MS = 600;

interface Voice {
  onsetAt: number;
  packets: number;
  lastLoudAt: number;
  /** Last loud packet that was more than a click. */
  heardAt: number;
  level: Dbov;
}

/** What happened by one packet or one report. */
export interface Heard {
  /** A voice begins: perhaps a word, perhaps a cough. Said once per onset, after {@link ONSET_PACKETS} loud packets. */
  readonly onset: boolean;
  /** Who has the floor as of now, if that changed. */
  readonly took: LegId | undefined;
}

const NOTHING: Heard = { onset: false, took: undefined };

/**
 * Who has the floor, decided as fast as can be without flicker. A voice that is alone takes it after 180 ms, by the level
 * of every packet (RFC 6464); where voices overlap, mediasoup's dominant-speaker algorithm decides (Volfin and Cohen,
 * "Dominant speaker identification for multipoint videoconferencing"; alone it would take half a second). Pure: time comes in, in ms.
 */
export class FloorDetector {
  private readonly voices = new Map<LegId, Voice>();
  private dominant: LegId | undefined;
  private switchedAt = -Infinity;
  holder: LegId | undefined;

  /** One packet of one microphone. */
  packet(leg: LegId, level: Dbov, at: number): Heard {
    const voice = this.voiceOf(leg);
    if (level < AUDIBLE_AT) {
      if (at - voice.lastLoudAt > GAP_MS) voice.packets = 0;
      return NOTHING;
    }
    if (voice.packets === 0 || at - voice.lastLoudAt > GAP_MS) {
      voice.onsetAt = at;
      voice.packets = 0;
    }
    voice.packets++;
    voice.lastLoudAt = at;
    if (voice.packets >= HEARD_PACKETS) voice.heardAt = at;
    voice.level = level;
    const onset = voice.packets === ONSET_PACKETS;
    const sustained = voice.packets >= SUSTAINED_PACKETS && at - voice.onsetAt >= SUSTAINED_MS;
    return { onset, took: sustained && this.floorIsFree(at) ? this.take(leg, at) : undefined };
  }

  /** Who was loud in the last quarter second. */
  audible(legs: readonly { readonly leg: LegId; readonly level: Dbov }[], at: number): Heard {
    for (const { leg, level } of legs) {
      const voice = this.voiceOf(leg);
      if (at - voice.lastLoudAt > RECENTLY_MS) voice.onsetAt = at;
      voice.lastLoudAt = voice.heardAt = at;
      voice.level = level;
    }
    // Whoever began while the other still spoke, and went on until the other stopped.
    const [loudest] = legs;
    if (loudest && this.floorIsFree(at) && at - this.voiceOf(loudest.leg).onsetAt >= SUSTAINED_MS)
      return { onset: false, took: this.take(loudest.leg, at) };
    return this.judge(at);
  }

  /** What the dominant-speaker algorithm says. It names somebody even in silence, so it counts only for who is heard. */
  dominates(leg: LegId, at: number): Heard {
    this.dominant = leg;
    return this.judge(at);
  }

  gone(leg: LegId): void {
    this.voices.delete(leg);
    if (this.holder === leg) this.holder = undefined;
    if (this.dominant === leg) this.dominant = undefined;
  }

  /** Is, or was a moment ago, audible. */
  speaks(leg: LegId, at: number, withinMs = RECENTLY_MS): boolean {
    return at - (this.voices.get(leg)?.lastLoudAt ?? -Infinity) < withinMs;
  }

  /** Whoever is shown as speaking, loudest first: a short word counts, a click does not, and nobody flickers between two words. */
  heard(at: number): readonly LegId[] {
    const heard = [...this.voices].filter(([, { heardAt }]) => at - heardAt < RECENTLY_MS);
    return heard.sort(([, a], [, b]) => b.level - a.level).map(([leg]) => leg);
  }

  levelOf(leg: LegId): Dbov {
    return this.voices.get(leg)?.level ?? -127;
  }

  private judge(at: number): Heard {
    const { dominant } = this;
    if (dominant === undefined || !this.speaks(dominant, at)) return NOTHING;
    return { onset: false, took: this.take(dominant, at) };
  }

  private floorIsFree(at: number): boolean {
    return this.holder === undefined || !this.speaks(this.holder, at, FLOOR_FREE_AFTER_MS);
  }

  private take(leg: LegId, at: number): LegId | undefined {
    if (leg === this.holder || at - this.switchedAt < SWITCH_INTERVAL_MS) return undefined;
    this.holder = leg;
    this.switchedAt = at;
    return leg;
  }

  private voiceOf(leg: LegId): Voice {
    const known = this.voices.get(leg);
    if (known) return known;
    const voice: Voice = { onsetAt: Infinity, packets: 0, lastLoudAt: -Infinity, heardAt: -Infinity, level: -127 };
    this.voices.set(leg, voice);
    return voice;
  }
}
