import type { AudioClip, Clip } from './clips.js';

/**
 * Tells from a received Opus packet whose voice it is and which part of it: an SFU forwards payloads as they are, so every
 * packet of a known clip is its own proof. Silence is nobody's.
 */
export interface Utterance {
  /** The persona's number. */
  readonly persona: number;
  /** Which packet of the clip: 0 is the first syllable. */
  readonly part: number;
}

const known = new Map<string, Utterance>();
const learnt = new WeakSet<AudioClip>();
/** Shorter packets are not distinctive. */
const BYTES_MIN = 16;

export const learn = ({ persona, speech }: Clip): void => {
  if (learnt.has(speech)) return;
  learnt.add(speech);
  speech.packets.forEach((packet, part) => {
    if (packet.length >= BYTES_MIN) known.set(packet.toString('latin1'), { persona: persona.number, part });
  });
};

export const recognise = (payload: Buffer): Utterance | null => known.get(payload.toString('latin1')) ?? null;
