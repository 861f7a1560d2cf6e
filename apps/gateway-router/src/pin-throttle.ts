import { isIPv6 } from 'node:net';
import type { Clock } from '@isthmus/ports';

export interface PinLimits {
  /** Wrong PINs for one room within the window, from anywhere; one more blocks it. */
  readonly perRoom: number;
  /** Wrong PINs from one address within the window; an office behind one address must still be able to mistype. */
  readonly perAddress: number;
  readonly windowMs: number;
  /** Most rooms, and most addresses, that are remembered at a time. */
  readonly rememberedMax: number;
}

/** Pexip's figure for the room: more than 20 in 10 minutes (reliability.md §1). */
export const PIN_LIMITS: PinLimits = { perRoom: 20, perAddress: 60, windowMs: 10 * 60_000, rememberedMax: 10_000 };

export interface PinAttempt {
  /** Whatever the PIN, it must look wrong. */
  readonly blocked: boolean;
  /** It was right: then it does not count. */
  right(): void;
}

interface Tries {
  /** On the monotonic clock; one entry per try that was wrong or is still being checked. */
  at: number[];
  blockedAt: number | undefined;
}

/**
 * Makes guessing PINs hopeless: too many wrong ones block PIN entry of the room (or of the address), for as long as the
 * window is wide, at this site. A try counts from its beginning, so that a thousand at once are a thousand. Whoever is blocked
 * learns nothing: right PINs look wrong. Durations on a monotonic clock, never deadlines (merge rule 3).
 */
export class PinThrottle {
  private readonly rooms = new Map<string, Tries>();
  private readonly addresses = new Map<string, Tries>();

  constructor(
    private readonly clock: Clock,
    private readonly limits: PinLimits = PIN_LIMITS,
  ) {}

  attempt(room: string | undefined, address: string): PinAttempt {
    const now = this.clock.monotonic();
    const { perRoom, perAddress } = this.limits;
    const kept = [
      ...(room === undefined ? [] : [{ tries: this.triesOf(this.rooms, room), most: perRoom }]),
      { tries: this.triesOf(this.addresses, networkOf(address)), most: perAddress },
    ];
    const blocked = kept.map(({ tries, most }) => this.isBlocked(tries, most, now)).some(Boolean);
    if (blocked) return { blocked, right: () => undefined };
    for (const { tries } of kept) tries.at.push(now);
    return { blocked, right: () => kept.forEach(({ tries }) => forget(tries, now)) };
  }

  /** For who asks why nobody gets into a room. */
  isRoomBlocked(room: string): boolean {
    const tries = this.rooms.get(room);
    return tries !== undefined && this.isBlocked(tries, this.limits.perRoom, this.clock.monotonic());
  }

  private isBlocked(tries: Tries, most: number, now: number): boolean {
    const { windowMs } = this.limits;
    if (tries.blockedAt !== undefined && now - tries.blockedAt >= windowMs) tries.blockedAt = undefined;
    if (tries.blockedAt !== undefined) return true;
    tries.at = tries.at.filter((at) => now - at < windowMs);
    if (tries.at.length <= most) return false;
    tries.blockedAt = now;
    tries.at = [];
    return true;
  }

  private triesOf(all: Map<string, Tries>, key: string): Tries {
    const tries = all.get(key) ?? { at: [], blockedAt: undefined };
    // Last used, last forgotten.
    all.delete(key);
    all.set(key, tries);
    if (all.size > this.limits.rememberedMax) all.delete(all.keys().next().value ?? key);
    return tries;
  }
}

const forget = (tries: Tries, at: number): void => {
  const index = tries.at.indexOf(at);
  if (index >= 0) tries.at.splice(index, 1);
};

/** An IPv6 customer has at least a /64 of addresses to guess from (RFC 6177). */
const networkOf = (address: string): string => (isIPv6(address) ? expanded(address).slice(0, 4).join(':') : address);

const expanded = (address: string): readonly string[] => {
  const [before = '', after] = address.split('%', 1)[0]?.split('::', 2) ?? [];
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  if (after === undefined) return groups(before);
  return [...groups(before), ...Array<string>(8 - groups(before).length - groups(after).length).fill('0'), ...groups(after)];
};
