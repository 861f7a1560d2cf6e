import { conference, isLocked, liveLegsOf, type Conference, type ConferenceId, type Liveness } from '@isthmus/conference';
import { createTimeline, type Fact, type Said, type Timeline } from '@isthmus/kernel';
import type { EventStore } from '@isthmus/ports';
import { readConference } from './conference-facts.js';
import type { KeptSnapshot } from './snapshot-text.js';

/** Conferences of a room that fold as one: what was recorded, in the one order, and what it comes to. */
export interface History {
  readonly conferences: readonly ConferenceId[];
  /** Of one that goes on from a snapshot, those that came since. */
  readonly facts: readonly Fact[];
  readonly state: Conference;
  /** Whether all facts are here. */
  readonly whole: boolean;
}

/** Conferences that were joined into one, with their facts in one order. */
export interface Group {
  readonly ids: readonly ConferenceId[];
  readonly timeline: Timeline<Conference>;
}

/** Who is alive in what conferences come to. Worked out once for each state. */
export const livenessOf = (state: Conference): Liveness => {
  const known = LIVENESS.get(state);
  if (known !== undefined) return known;
  const liveness = { sites: new Set(liveLegsOf(state).map(({ site }) => site)), locked: isLocked(state) };
  LIVENESS.set(state, liveness);
  return liveness;
};

const LIVENESS = new WeakMap<Conference, Liveness>();

/** A group of conferences that goes on from a snapshot: a brain that comes back has people answered before it has read all facts. */
export interface Footing extends Group {
  /** The newest fact of each stream that the snapshot was made of. */
  readonly tips: readonly Said[];
}

/** @param since what the store learned after the snapshot. @returns undefined if that makes the snapshot worthless (merge rule 13) */
export const footingOf = ({ conferences, snapshot }: KeptSnapshot, since: readonly Fact[]): Footing | undefined => {
  const timeline = createTimeline(conference, snapshot);
  timeline.add(since);
  if (timeline.undercut || timeline.waiting > 0) return undefined;
  return { ids: conferences, timeline, tips: snapshot.tips };
};

/** What a snapshot was made of, and nothing that the store has learned since and is not folded yet: each stream back from its tip. */
export const readBehind = async (store: EventStore, { ids, tips }: Footing): Promise<readonly Fact[]> => {
  const known = new Map<string, Fact>();
  for (const id of ids) for (const fact of await readConference(store, id)) known.set(fact.hash, fact);
  return tips.flatMap((tip) => {
    const line: Fact[] = [];
    for (let fact = known.get(tip.hash); fact !== undefined; fact = fact.prev === null ? undefined : known.get(fact.prev)) line.push(fact);
    return line.reverse();
  });
};
