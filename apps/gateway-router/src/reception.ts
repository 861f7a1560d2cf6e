import type { Role } from '@isthmus/conference';
import { pinsOf, type Estate, type Room } from '@isthmus/estate';
import { roomMeant } from '@isthmus/routing';
import type { PinCheck } from './pin-check.js';
import type { PinThrottle } from './pin-throttle.js';

/** What somebody at the door says for themself. */
export interface Request {
  /** As typed. */
  readonly alias: string;
  readonly pin: string | undefined;
  readonly address: string;
  /** The prompt has been shown to them for this alias: nothing typed now means an empty PIN. */
  readonly prompted: boolean;
}

export type Admission =
  | { readonly type: 'come-in'; readonly room: Room; readonly role: Role; readonly proof: number }
  /** `wrong`: a PIN was given and did not fit; to be counted, never to be told apart. */
  | { readonly type: 'pin-needed'; readonly wrong: boolean };

const NEEDED: Admission = { type: 'pin-needed', wrong: false };
const WRONG: Admission = { type: 'pin-needed', wrong: true };

/**
 * Decides who may ask for a seat, and as what. An unknown alias, a disabled room, a wrong PIN and a blocked room all get the same
 * answer after the same time, so nobody can find out which rooms exist (reliability.md G19). A room without any PIN lets
 * everybody in as host; with a host PIN only, whoever gives none is a guest.
 */
export class Reception {
  constructor(
    private readonly estate: () => Estate,
    private readonly check: PinCheck,
    private readonly throttle: PinThrottle,
  ) {}

  async admit(request: Request): Promise<Admission> {
    const estate = this.estate();
    const room = roomMeant(estate, request.alias);
    // By the same copy of the estate as the check, which takes its time: the PIN may be another when it ends.
    const comeIn = (into: Room, role: Role): Admission => ({ type: 'come-in', room: into, role, proof: pinsOf(estate, into.id)[role] });
    if (room && room.hostPinHash === null && room.guestPinHash === null) return comeIn(room, 'host');
    if (request.pin === undefined && !request.prompted) return NEEDED;
    const pin = normalPin(request.pin ?? '');
    if (pin === '') return room && room.guestPinHash === null ? comeIn(room, 'guest') : NEEDED;

    const attempt = this.throttle.attempt(room?.id, request.address);
    const [host, guest] = await this.check.fits([room?.hostPinHash ?? null, room?.guestPinHash ?? null], pin, this.exampleHash());
    const role = host ? 'host' : guest ? 'guest' : undefined;
    if (!room || !role || attempt.blocked) return WRONG;
    attempt.right();
    return comeIn(room, role);
  }

  private exampleHash(): string | undefined {
    const rooms = Object.values(this.estate().rooms);
    return rooms.find(({ hostPinHash }) => hostPinHash !== null)?.hostPinHash ?? undefined;
  }
}

/** Digits in groups, from any keyboard, closed with a # as on a telephone. */
const normalPin = (typed: string): string => typed.normalize('NFKC').replace(/[\s-]/g, '').replace(/#$/, '');
