import type { LegId } from '@isthmus/conference';
import type { Dbov } from '@isthmus/media-mediasoup';

/** So many voices at once are carried from one node to another; more, nobody can follow. */
export const VOICES_MAX = 3;
/** A voice that is carried is replaced only by one that is clearly louder. dB */
const LOUDER_BY = 6;

export interface ActiveVoice {
  readonly leg: LegId;
  readonly level: Dbov;
  readonly carried: boolean;
}

/**
 * Which of the voices that speak now are not carried: all but the three loudest. Whoever is silent is not among them:
 * their packets cross all the time (almost none, with discontinuous transmission), so that no first syllable waits for anybody.
 */
export const crowdedOut = (speaking: readonly ActiveVoice[]): ReadonlySet<LegId> => {
  const loudness = ({ level, carried }: ActiveVoice) => level + (carried ? LOUDER_BY : 0);
  const ranked = [...speaking].sort((a, b) => loudness(b) - loudness(a));
  return new Set(ranked.slice(VOICES_MAX).map(({ leg }) => leg));
};
