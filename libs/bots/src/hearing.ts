import type { AudioClip, Clip } from './clips.js';

/**
 * Tells from a received Opus packet whose voice it is and which part of it: an SFU forwards payloads as they are, so a
 * packet of a known clip is its own proof. Silence is nobody's, and packets that occur twice are told apart by what came before.
 */
export interface Utterance {
  /** The persona's number. */
  readonly persona: number;
  /** Which packet of the clip: 0 is the first syllable. */
  readonly part: number;
}

const known = new Map<string, Utterance[]>();
const learnt = new WeakSet<AudioClip>();
/** Shorter packets are not distinctive. */
const BYTES_MIN = 16;

export const learn = ({ persona, speech }: Clip): void => {
  if (learnt.has(speech)) return;
  learnt.add(speech);
  speech.packets.forEach((packet, part) => {
    if (packet.length < BYTES_MIN) return;
    const key = packet.toString('latin1');
    const places = known.get(key) ?? [];
    places.push({ persona: persona.number, part });
    known.set(key, places);
  });
};

/** `before`: what was last recognised on the same stream. */
export const recognise = (payload: Buffer, before?: Utterance): Utterance | null => {
  const places = known.get(payload.toString('latin1'));
  if (!places) return null;
  return places.find(({ persona, part }) => persona === before?.persona && part > before.part) ?? places[0]!;
};
