import { categoryOf, subjectOf, type Fact, type FactHash, type StreamName } from '@isthmus/kernel';
import type { ConferenceId } from '@isthmus/conference';
import type { EventStore } from '@isthmus/ports';
import type { Chronicle } from './chronicle.js';
import { roomOf } from './conference-facts.js';
import { footingOf } from './footing.js';
import type { Rooms } from './rooms.js';
import type { SnapshotKeeper } from './snapshot-keeper.js';
import { readSnapshotText, type KeptSnapshot } from './snapshot-text.js';

/** The last fact of a stream. */
export interface LastFact {
  readonly stream: StreamName;
  readonly seq: number;
  readonly hash: FactHash;
  readonly at: number;
}

/**
 * Reads what a site knows of its rooms, one after the other, each from its snapshot and what the store learned since, or whole where
 * there is none that holds. What has nobody in it is let go of before the next is read.
 * @returns the last fact of each stream, by the clocks: most recently written last
 */
export const readRooms = async (store: EventStore, rooms: Rooms, keeper: SnapshotKeeper): Promise<readonly LastFact[]> => {
  const last = new Map<StreamName, LastFact>();
  const streams = [...(await store.streams('room')), ...(await store.streams('conference'))];
  for (const [room, some] of Map.groupBy(streams, roomOf)) await readRoom({ store, rooms, keeper, last }, room, some);
  return [...last.values()].sort((a, b) => a.at - b.at);
};

interface Reading {
  readonly store: EventStore;
  readonly rooms: Rooms;
  readonly keeper: SnapshotKeeper;
  readonly last: Map<StreamName, LastFact>;
}

const readRoom = async (reading: Reading, room: string, streams: readonly StreamName[]): Promise<void> => {
  const { store, rooms, keeper } = reading;
  const chronicle = rooms.chronicle(room);
  const { room: openings = [], conference: meetings = [] } = Object.groupBy(streams, categoryOf);
  chronicle.add(await readWhole(reading, openings));
  const kept = readSnapshotText((await store.snapshot(room)) ?? '');
  if (kept === undefined || !isAllOfIt(kept, chronicle, meetings)) {
    chronicle.add(await readWhole(reading, meetings));
    return rooms.read(room);
  }
  const isKept = (stream: StreamName) => kept.conferences.includes(subjectOf(stream) as ConferenceId);
  const { others = [], ofIt = [] } = Object.groupBy(meetings, (stream) => (isKept(stream) ? 'ofIt' : 'others'));
  chronicle.add(await readWhole(reading, others));
  rooms.read(room);
  const footing = chronicle.isEmpty ? footingOf(kept, await readSince(reading, ofIt, kept)) : undefined;
  if (footing === undefined) {
    chronicle.add(await readWhole(reading, ofIt));
    keeper.heard('undercut', room);
  } else {
    chronicle.standOn(footing);
    keeper.goesOn(room, kept);
  }
  rooms.read(room);
};

/** Whether what the snapshot has as one is what is one for good by now, and has the streams that it was made of. */
const isAllOfIt = ({ conferences, snapshot }: KeptSnapshot, chronicle: Chronicle, streams: readonly StreamName[]): boolean => {
  const here = new Set(streams.map((stream) => subjectOf(stream) as ConferenceId));
  const joined = chronicle.joined().find((ids) => ids.includes(conferences[0]!)) ?? conferences;
  return (
    joined
      .filter((id) => here.has(id))
      .toSorted()
      .join() === conferences.toSorted().join() && snapshot.tips.every(({ stream }) => streams.includes(stream))
  );
};

const readWhole = async ({ store, last }: Reading, streams: readonly StreamName[]): Promise<readonly Fact[]> => {
  const facts: Fact[] = [];
  for (const stream of streams) {
    for await (const fact of store.read(stream)) {
      last.set(stream, fact);
      facts.push(fact);
    }
  }
  return facts;
};

/** What the store has learned since a snapshot, of its streams and of others of the same conferences. */
const readSince = async (
  reading: Reading,
  streams: readonly StreamName[],
  { places, snapshot }: KeptSnapshot,
): Promise<readonly Fact[]> => {
  const facts: Fact[] = [];
  for (const stream of streams) {
    const place = places[stream];
    const tip = snapshot.tips.find((one) => one.stream === stream);
    if (place === undefined || tip === undefined) {
      facts.push(...(await readWhole(reading, [stream])));
      continue;
    }
    const { seq, hash } = tip;
    reading.last.set(stream, { stream, seq, hash, at: place.at });
    for await (const { fact } of reading.store.learned(stream, place.position)) {
      if (fact.seq > reading.last.get(stream)!.seq) reading.last.set(stream, fact);
      facts.push(fact);
    }
  }
  return facts;
};
