import { randomInt } from 'node:crypto';
import { meetLink, pinsOf, type Estate } from '@isthmus/estate';
import { Refusal, type SiteId } from '@isthmus/kernel';
import type { MoveOffer } from '@isthmus/protocol';
import type { Notice, SeatOf } from './seat.js';
import type { Seats } from './seats.js';
import type { Ways } from './ways.js';

/** More ways than these would not be read. */
const NAMED_MAX = 3;
/** The first goes after this long; the others follow one after the other, this far apart: each costs the other site a PIN check and a placement. */
const FIRST_AFTER_MS = 500;
const APART_MS = 200;
/** What a client may be asked to wait (client-gateway.ts). */
const AFTER_MAX_MS = 3_600_000;

/** The notice, and the refusal, of a site that is to end. Not a trouble of the site's that passes: nobody asks again because of it. */
export const DRAINING = 'join.site-draining';

/** Tells people of a site that is to end where they find the same meeting, and their clients how to get there (ADR 0073, 0090). */
export class Farewell {
  private said = false;

  constructor(
    private readonly site: SiteId,
    private readonly estate: () => Estate,
    private readonly seats: Seats,
    private readonly others: Ways,
  ) {}

  get isDraining(): boolean {
    return this.estate().sites[this.site]?.draining === true;
  }

  /** The estate may say something else than before: who is in hears of it once. */
  look(): void {
    if (this.isDraining && !this.said) this.seats.tell((of, at) => this.notice(of, at));
    this.said = this.isDraining;
  }

  /** @param alias as it was typed; whether there is such a room is nobody's business here */
  refusal(alias: string): Refusal {
    return new Refusal(DRAINING, `This site takes nobody new, because it is to be closed. ${this.ways('Join', alias)}`);
  }

  /** For somebody who is in. @param at how many go before them */
  notice(of: SeatOf, at = 0): Notice {
    const alias = this.estate().rooms[of.room]?.aliases[0];
    const what = alias === undefined ? 'Please leave.' : this.ways('Please leave, and join the same meeting', alias);
    return { code: DRAINING, message: `This site is about to be closed. ${what}`, move: this.offer(of, at) };
  }

  /** None for whoever came in by a PIN that has been changed since: a whole site of them would be blocked for wrong PINs elsewhere. */
  private offer({ room, role, proof }: SeatOf, at: number): MoveOffer | undefined {
    const ways = this.others.inOrder().slice(0, NAMED_MAX);
    if (ways.length === 0 || pinsOf(this.estate(), room)[role] !== proof) return undefined;
    const afterMs = Math.min(FIRST_AFTER_MS + at * APART_MS + randomInt(APART_MS), AFTER_MAX_MS);
    return { v: 1, afterMs, ways: ways.map(({ id, name, meetUrl }) => ({ site: id, name, url: meetUrl })) };
  }

  private ways(what: string, alias: string): string {
    const ways = this.others.inOrder().slice(0, NAMED_MAX);
    if (ways.length === 0) return 'There is no other site right now.';
    return `${what} at ${ways.map((other) => `${other.name}: ${meetLink(other, alias)}`).join(', or at ')}`;
  }
}
