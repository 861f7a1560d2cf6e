import { hash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { FOLD_VERSION, type Conference, type ConferenceId } from '@isthmus/conference';
import { freeze, thaw, type FrozenSnapshot, type Snapshot, type StreamName } from '@isthmus/kernel';
import type { Position } from '@isthmus/ports';

/** How far a stream had been learned. */
export interface StreamPlace {
  readonly position: Position;
  /** The clock of the last fact. */
  readonly at: number;
}

/** What is kept of one room: what its conferences come to at a vector of places, of which nothing is missing up to there. */
export interface KeptSnapshot {
  /** They fold as one. */
  readonly conferences: readonly ConferenceId[];
  readonly places: Readonly<Record<StreamName, StreamPlace>>;
  readonly snapshot: Snapshot<Conference>;
}

/** Goes up when the text, or what kernel and brain put into it, changes. What the fold makes of facts has a version of its own. */
const FORMAT = 1;
const KEY = `isthmus-snapshot/${FORMAT} fold/${FOLD_VERSION}`;
/** The fastest; most of it are hashes. */
const LEVEL = 1;
/** So many characters are packed. Of less, packing takes longer than all the rest, and saves nobody anything. */
const PACKED_FROM = 16_384;

export const snapshotText = ({ conferences, places, snapshot }: KeptSnapshot): string => {
  const text = JSON.stringify({ conferences, places, frozen: freeze(snapshot) });
  const packed = text.length < PACKED_FROM ? text : gzipSync(text, { level: LEVEL }).toString('base64');
  return `${KEY} ${sha256(packed)} ${packed}`;
};

/** Undefined for what is of another version, of another fold, or not whole: then there is none (merge rule 13). */
export const readSnapshotText = (text: string): KeptSnapshot | undefined => {
  if (!text.startsWith(`${KEY} `)) return undefined;
  const [sum = '', packed = ''] = text.slice(KEY.length + 1).split(/ (.*)/s);
  if (sha256(packed) !== sum) return undefined;
  const whole = packed.startsWith('{') ? packed : gunzipSync(Buffer.from(packed, 'base64')).toString();
  const { frozen, ...kept } = JSON.parse(whole) as Omit<KeptSnapshot, 'snapshot'> & {
    readonly frozen: FrozenSnapshot;
  };
  return { ...kept, snapshot: thaw<Conference>(frozen) };
};

const sha256 = (text: string): string => hash('sha256', text);
