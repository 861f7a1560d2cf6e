import { hash } from 'node:crypto';
import { seal, streamNameOf, subjectOf, writerIdOf, writerOf, epochOf, type Fact, type StreamName } from '@isthmus/kernel';
import type { Random } from './random.js';
import type { SimulatedSite } from './site.js';

/** Epochs from here on are a liar's: no brain has one. */
const LIARS_EPOCH = 9_000;

/** Whether somebody wrote this who is no brain. Such facts travel and are kept as all others, and must change nothing. */
export const isPoison = ({ stream }: { readonly stream: StreamName }): boolean => epochOf(writerOf(stream)) >= LIARS_EPOCH;

type Lie = (about: { readonly own: string; readonly other: string; readonly person: string }) => Pick<Fact, 'type' | 'v' | 'by' | 'body'>;

const LIES: readonly Lie[] = [
  () => ({ type: 'ChatSaid', v: 1, by: 'system', body: { text: 'from a later version' } }),
  ({ own }) => ({ type: 'LegReturned', v: 1, by: own, body: { leg: own, connect: 'high' } }),
  ({ own }) => ({ type: 'LegLeft', v: 2, by: own, body: { leg: own, reason: 'left' } }),
  ({ own }) => ({ type: 'FloorTaken', v: 1, by: own, body: { leg: [own] } }),
  ({ own }) => ({ type: 'LegJoined', v: 1, by: own, body: { leg: `${own}x`, person: own } }),
  ({ own }) => ({ type: 'LegLeft', v: 1, by: own, body: { leg: own, reason: 'because' } }),
  ({ other }) => ({ type: 'LegLeft', v: 1, by: other, body: { leg: other, reason: 'left' } }),
  ({ other }) => ({ type: 'FloorTaken', v: 1, by: other, body: { leg: other } }),
  ({ other }) => ({ type: 'ConferenceUnlocked', v: 1, by: other, body: {} }),
  ({ other, person }) => ({ type: 'PersonRemoved', v: 1, by: 'system', body: { leg: other, person } }),
  ({ other }) => ({ type: 'LegUnmuted', v: 1, by: other, body: { leg: other } }),
  ({ other }) => ({ type: 'HostAppointed', v: 1, by: other, body: { leg: other } }),
];

/** Somebody at this site writes into its store what it may not say, or what nobody understands. @returns what there is to be written. */
export const lieOf = (site: SimulatedSite, n: number, random: Random): Fact | undefined => {
  const all = site.disk.rows('conference').filter((fact) => !isPoison(fact));
  const arrivals = all.filter(({ type }) => type === 'LegJoined');
  const at = (fact: Fact) => fact.body as { readonly leg: string; readonly site: string; readonly person: string };
  const [own, other] = [arrivals.filter((fact) => at(fact).site === site.id), arrivals.filter((fact) => at(fact).site !== site.id)];
  if (own.length === 0 || other.length === 0) return undefined;
  const [mine, theirs] = [random.pick(own), random.pick(other)];
  const conference = subjectOf(mine.stream);
  // It claims to have seen whatever there is, a lock before all.
  const seen = all.filter(({ stream }) => subjectOf(stream) === conference).at(-1);
  const draft = random.pick(LIES)({ own: at(mine).leg, other: at(theirs).leg, person: at(theirs).person });
  return seal(
    {
      stream: streamNameOf('conference', conference, writerIdOf(site.id, LIARS_EPOCH + n)),
      seq: 0,
      prev: null,
      at: site.wallMs(),
      after: seen === undefined ? [] : [{ stream: seen.stream, seq: seen.seq, hash: seen.hash }],
      ...draft,
    },
    (text) => hash('sha256', text),
  );
};
