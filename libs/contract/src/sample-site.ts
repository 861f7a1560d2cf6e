import { createHash } from 'node:crypto';
import type { Room } from '@isthmus/estate';
import { seal, streamNameOf, writerIdOf, type Fact, type SiteId, type StreamName } from '@isthmus/kernel';
import type { NodeId } from '@isthmus/placement';
import type { Bus, Peers } from '@isthmus/ports';
import type { NodeReport } from '@isthmus/protocol';

/** As every writer hashes: specs seal facts of their own, and compare tokens. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** An open room: nobody waits, no PIN, a seat for whoever comes. */
export const sampleRoom = (id: string, more: Partial<Room> = {}): Room => ({
  ...{ id, name: `Room ${id}`, description: '', aliases: [id], hostPinHash: null, guestPinHash: null },
  ...{ guestsWaitForHost: false, seatsMax: 50, disabled: false },
  ...more,
});

/** What is to be sealed: its type, its body, and what is not as usual about it. */
export type Unsealed = readonly [type: string, body: unknown, more?: Partial<Fact>];

/** Facts of one stream, one after the other, as some writer would have sealed them. */
export const chained = (stream: StreamName, bodies: readonly Unsealed[], last?: Fact): Fact[] => {
  const facts: Fact[] = [];
  for (const [type, body, more = {}] of bodies) {
    const before = facts.at(-1) ?? last;
    const place = { stream, seq: before === undefined ? 0 : before.seq + 1, at: 1, prev: before?.hash ?? null, after: [] };
    facts.push(seal({ ...place, by: 'system', type, v: 1, body, ...more }, sha256));
  }
  return facts;
};

/** What management has said, from its first word on. */
export const estateFacts = (bodies: readonly Unsealed[]): Fact[] =>
  chained(streamNameOf('estate', 'main', writerIdOf('management' as SiteId, 1)), bodies);

/** Management's word for rooms that there are. */
export const roomsCreated = (...rooms: readonly Room[]): readonly Unsealed[] => rooms.map((room) => ['RoomCreated', { room }]);

/** A media node of a site, as it would report itself with nobody on it. */
export const sampleNode = (site: SiteId, more: Partial<NodeReport> = {}): NodeReport => {
  const node = more.node ?? (`${site}-1` as NodeId);
  return {
    ...{ node, site, clientUrl: `ws://${node}/media`, linkUrl: `wss://${node}`, rtpCapabilities: {} },
    ...{ capacity: 50, legs: 0, cpu: 0, draining: false, pipes: [], at: 0 },
    ...more,
  };
};

/** A site that has no peers is a site too. */
export const noPeers: Peers = {
  start: async () => undefined,
  setPeers: () => undefined,
  send: () => undefined,
  states: () => [],
  close: async () => undefined,
};

/** A bus that takes what is said, and by which nobody ever answers or is heard. */
export const noBus: Bus = {
  publish: async () => undefined,
  request: () => new Promise(() => undefined),
  subscribe: () => new Promise(() => undefined),
  close: async () => undefined,
};
