import { createHmac, createSecretKey, hash, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { ConferenceView, LegId, PersonId, Role } from '@isthmus/conference';
import type { NodeId } from '@isthmus/placement';
import type { Chance } from '@isthmus/ports';

/** Where one leg of this site has its media, and what opens the door there. */
export interface Seating {
  readonly room: string;
  readonly node: NodeId;
  /** Shown by the client to the media node; new at every attach address we hand out. */
  readonly token: string;
  readonly tokenHash: string;
  /** Somebody has asked for the seat in this brain's tenure; else only a media node says that it is taken. */
  readonly askedFor: boolean;
}

const NOBODY: ReadonlyMap<LegId, Seating> = new Map();

/** Who sits where at this site. Tokens live here, in memory, and nowhere else. */
export class Seats {
  private readonly byLeg = new Map<LegId, Seating>();
  private readonly byRoom = new Map<string, Map<LegId, Seating>>();
  private readonly key: KeyObject;

  /** @param key makes resume words; kept by the site, so that they outlive this process. */
  constructor(
    private readonly chance: Chance,
    key: Uint8Array = chance.bytes(32),
  ) {
    this.key = createSecretKey(key);
  }

  seat(leg: LegId, room: string, node: NodeId, askedFor = true): Seating {
    const token = this.secret(24);
    const seating = { room, node, token, tokenHash: hashOf(token), askedFor };
    this.byLeg.set(leg, seating);
    const inRoom = this.byRoom.get(room) ?? new Map<LegId, Seating>();
    this.byRoom.set(room, inRoom.set(leg, seating));
    return seating;
  }

  of(leg: LegId): Seating | undefined {
    return this.byLeg.get(leg);
  }

  inRoom(room: string): ReadonlyMap<LegId, Seating> {
    return this.byRoom.get(room) ?? NOBODY;
  }

  /** Rooms in which somebody sits on such a node. */
  roomsOn(such: (node: NodeId) => boolean): ReadonlySet<string> {
    return new Set([...this.byLeg.values()].flatMap(({ room, node }) => (such(node) ? [room] : [])));
  }

  /** How many legs we have given each node. */
  placed(): ReadonlyMap<NodeId, number> {
    const legs = new Map<NodeId, number>();
    for (const { node } of this.byLeg.values()) legs.set(node, (legs.get(node) ?? 0) + 1);
    return legs;
  }

  /** The word with which whoever lost the connection gets this seat back. Stays the same while the seat lasts. */
  resumeOf(leg: LegId): string {
    return `${leg}.${createHmac('sha256', this.key).update(`resume ${leg}`).digest('base64url')}`;
  }

  /** The leg that a resume word is of. Whether it still is in the meeting is for the meeting to say. */
  resumed(resume: string | undefined): LegId | undefined {
    if (resume === undefined) return undefined;
    const leg = resume.slice(0, resume.indexOf('.')) as LegId;
    const [given, right] = [Buffer.from(resume), Buffer.from(this.resumeOf(leg))];
    return given.length === right.length && timingSafeEqual(given, right) ? leg : undefined;
  }

  release(leg: LegId): void {
    const room = this.byLeg.get(leg)?.room;
    const inRoom = room === undefined ? undefined : this.byRoom.get(room);
    inRoom?.delete(leg);
    if (room !== undefined && inRoom?.size === 0) this.byRoom.delete(room);
    this.byLeg.delete(leg);
  }

  private secret(bytes: number): string {
    return Buffer.from(this.chance.bytes(bytes)).toString('base64url');
  }
}

/** A person's leg, if it is in or waits at the door, and as what; who waits is a guest. */
export const seatIn = (
  view: ConferenceView | undefined,
  leg: LegId | undefined,
  person: PersonId,
): { readonly leg: LegId; readonly role: Role } | undefined => {
  const waiting = (view?.waiting ?? []).map((each) => ({ ...each, role: 'guest' as const }));
  return [...(view?.seats ?? []), ...waiting].find((each) => each.leg === leg && each.person === person);
};

const hashOf = (token: string): string => hash('sha256', token);
