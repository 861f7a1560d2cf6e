import { openings, type ConferenceId } from '@isthmus/conference';
import { categoryOf, subjectOf, type Fact, type StreamName, type Timeline } from '@isthmus/kernel';
import type { EventStore } from '@isthmus/ports';

/** A conference's id carries its room, so that a fact finds its way without a table: `<room>_<occasion>`. */
export const conferenceIdOf = (room: string, occasion: string): ConferenceId => `${room}_${occasion}` as ConferenceId;
export const roomOf = (stream: StreamName): string => {
  const subject = subjectOf(stream);
  return categoryOf(stream) === 'room' ? subject : subject.slice(0, subject.lastIndexOf('_'));
};

/** All facts of a conference that the store has, whoever recorded them. */
export const readConference = async (store: EventStore, id: ConferenceId): Promise<readonly Fact[]> => {
  const facts: Fact[] = [];
  for (const stream of await store.streams('conference')) {
    if (subjectOf(stream) === id) for await (const fact of store.read(stream)) facts.push(fact);
  }
  return facts;
};

/** Facts whose causes have not come may wait, but not without end; the store has them when the group is folded again. */
const WAITING_MAX = 10_000;
export const addBounded = (timeline: Timeline<unknown>, facts: readonly Fact[]): void => {
  timeline.add(facts);
  if (timeline.waiting > WAITING_MAX) timeline.forgetWaiting();
};

export const isOpening = (fact: Fact): boolean => categoryOf(fact.stream) === 'room';
export const joinedIn = (fact: Fact): readonly (readonly ConferenceId[])[] => {
  const read = openings.read(fact);
  return read?.type === 'ConferencesJoined' ? [read.body.conferences] : [];
};
export const conferenceOf = (fact: Fact): ConferenceId => subjectOf(fact.stream) as ConferenceId;
