import { randomBytes } from 'node:crypto';
import { Refusal } from '@isthmus/kernel';
import { checkPins, pinsEqual, roomWithAlias, type Estate, type EstateCommand, type Room } from '@isthmus/estate';
import type { Keeper } from './keeper.js';
import { hashSecret, isSecret, newPin } from './secrets.js';
import type { NewRoom, Page, PinWish, RoomPatch } from './shapes.js';
import type { RequestRefusal } from './valid.js';

export interface RoomEntry {
  readonly room: Room;
  /** Configuration version at which it last changed. */
  readonly revision: number;
}

/** Rooms as administrators handle them: PINs come in plain, are checked against each other, and leave as hashes. */
export class RoomBook {
  private readonly changedAt = new Map<string, number>();

  constructor(private readonly estate: Keeper<Estate, EstateCommand>) {
    let revision = 0;
    const note = (facts: readonly { readonly body: unknown }[]) => {
      for (const { body } of facts) {
        revision += 1;
        const { id, room } = body as { id?: string; room?: Room };
        const touched = room?.id ?? id;
        if (touched !== undefined) this.changedAt.set(touched, revision);
      }
    };
    note(estate.facts);
    estate.listen(note);
  }

  get(id: string): RoomEntry {
    const room = Object.hasOwn(this.estate.state.rooms, id) ? this.estate.state.rooms[id] : undefined;
    if (!room)
      throw new Refusal('room.unknown', 'There is no such room. It may have been deleted; look at the list again.', { status: 404 });
    return { room, revision: this.changedAt.get(id) ?? 0 };
  }

  /** A page in order of names. The cursor is the last room's place, so rooms that come and go shift nothing. */
  list({ limit, cursor, search }: Page): { readonly items: readonly RoomEntry[]; readonly next: string | null; readonly total: number } {
    const wanted = search?.toLowerCase() ?? '';
    const all = Object.values(this.estate.state.rooms)
      .filter(({ name, aliases }) => [name.toLowerCase(), ...aliases].some((text) => text.includes(wanted)))
      .map((room) => ({ room, place: placeOf(room) }))
      .sort((a, b) => compare(a.place, b.place));
    const after = cursor === undefined ? undefined : placeIn(cursor);
    const rest = after ? all.filter(({ place }) => compare(place, after) > 0) : all;
    const shown = rest.slice(0, limit);
    const last = shown.at(-1);
    return {
      items: shown.map(({ room }) => this.get(room.id)),
      next: last && rest.length > limit ? Buffer.from(JSON.stringify(last.place)).toString('base64url') : null,
      total: all.length,
    };
  }

  async create({ hostPin, guestPin, ...settings }: NewRoom, by: string): Promise<RoomEntry> {
    checkPins(hostPin, guestPin);
    const id = randomBytes(8).toString('hex');
    const [hostPinHash, guestPinHash] = await Promise.all([hashed(hostPin), hashed(guestPin)]);
    await this.estate.act(by, () => ({ type: 'CreateRoom', room: { id, ...settings, hostPinHash, guestPinHash } }));
    return this.get(id);
  }

  /** `ifRevision`: only if nobody changed it since the caller looked. */
  async change(id: string, { hostPin, guestPin, ...settings }: RoomPatch, ifRevision: number | undefined, by: string): Promise<RoomEntry> {
    checkPins(hostPin, guestPin);
    const [hostPinHash, guestPinHash] = await Promise.all([hashed(hostPin), hashed(guestPin)]);
    await this.estate.act(by, async () => {
      const { room } = this.unchangedSince(id, ifRevision);
      await refuseTheOthersPin(hostPin, guestPin === undefined ? room.guestPinHash : null);
      await refuseTheOthersPin(guestPin, hostPin === undefined ? room.hostPinHash : null);
      const change = { ...settings, hostPinHash, guestPinHash };
      return {
        type: 'ChangeRoom',
        id,
        change: Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)),
      };
    });
    return this.get(id);
  }

  async delete(id: string, ifRevision: number | undefined, by: string): Promise<void> {
    await this.estate.act(by, () => ({ type: 'DeleteRoom', id: this.unchangedSince(id, ifRevision).room.id }));
  }

  /** Sets a PIN that nobody chose. It is in the answer and nowhere else. */
  async makePin(id: string, { role, digits }: PinWish, by: string): Promise<{ readonly pin: string; readonly entry: RoomEntry }> {
    const { room } = this.get(id);
    const other = role === 'host' ? room.guestPinHash : room.hostPinHash;
    let pin = newPin(digits);
    while (other !== null && (await isSecret(pin, other))) pin = newPin(digits);
    const entry = await this.change(id, role === 'host' ? { hostPin: pin } : { guestPin: pin }, undefined, by);
    return { pin, entry };
  }

  /** For seeding: the room with the first of these aliases, made if there is none, otherwise left as people have it. */
  async ensure(wanted: NewRoom, by: string): Promise<RoomEntry> {
    const [alias] = wanted.aliases;
    const there = alias === undefined ? undefined : roomWithAlias(this.estate.state, alias);
    return there ? this.get(there.id) : this.create(wanted, by);
  }

  private unchangedSince(id: string, ifRevision: number | undefined): RoomEntry {
    const entry = this.get(id);
    if (ifRevision !== undefined && ifRevision !== entry.revision) {
      const message = 'Somebody changed this room since you looked. Load it again, then make your change.';
      throw new Refusal<RequestRefusal>('request.precondition-failed', message, { status: 412 });
    }
    return entry;
  }
}

type Place = readonly [name: string, id: string];

const placeOf = ({ name, id }: Room): Place => [name.toLowerCase(), id];
const compare = (a: Place, b: Place): number => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0);

const placeIn = (cursor: string): Place => {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(place) && place.length === 2 && place.every((part) => typeof part === 'string')) return place as unknown as Place;
  } catch {
    // Answered below, like every other cursor that we did not make.
  }
  const errors = [{ path: 'cursor', message: 'Not a cursor of ours' }];
  throw new Refusal<RequestRefusal>('request.invalid', 'This cursor is not one of ours. Begin again without it.', { status: 400, errors });
};

const hashed = <Pin extends string | null | undefined>(pin: Pin): Promise<string | Exclude<Pin, string>> =>
  typeof pin === 'string' ? hashSecret(pin) : Promise.resolve(pin as Exclude<Pin, string>);

const refuseTheOthersPin = async (pin: string | null | undefined, otherHash: string | null): Promise<void> => {
  if (typeof pin === 'string' && otherHash !== null && (await isSecret(pin, otherHash))) throw pinsEqual();
};
