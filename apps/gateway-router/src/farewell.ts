import { meetLink, type Estate } from '@isthmus/estate';
import { Refusal, type SiteId } from '@isthmus/kernel';
import type { Seats } from './seats.js';

/** More ways than these would not be read. */
const NAMED_MAX = 3;

/** The notice, and the refusal, of a site that is to end. Not a trouble of the site's that passes: nobody asks again because of it. */
export const DRAINING = 'join.site-draining';

/** Tells people of a site that is to end where they find the same meeting (ADR 0073). */
export class Farewell {
  private said = false;

  constructor(
    private readonly site: SiteId,
    private readonly estate: () => Estate,
    private readonly seats: Seats,
  ) {}

  get isDraining(): boolean {
    return this.estate().sites[this.site]?.draining === true;
  }

  /** The estate may say something else than before: who is in hears of it once. */
  look(): void {
    if (this.isDraining && !this.said) {
      this.seats.tell(({ room }) => ({ code: DRAINING, message: this.notice(room) }));
    }
    this.said = this.isDraining;
  }

  /** @param alias as it was typed; whether there is such a room is nobody's business here */
  refusal(alias: string): Refusal {
    return new Refusal(DRAINING, `This site takes nobody new, because it is to be closed. ${this.ways('Join', alias)}`);
  }

  /** For somebody who is in. */
  notice(room: string): string {
    const alias = this.estate().rooms[room]?.aliases[0];
    return `This site is about to be closed. ${alias === undefined ? 'Please leave.' : this.ways('Please leave, and join the same meeting', alias)}`;
  }

  private ways(what: string, alias: string): string {
    const others = Object.values(this.estate().sites).filter(({ id, draining }) => id !== this.site && draining !== true);
    const ways = others.slice(0, NAMED_MAX).map((other) => `${other.name}: ${meetLink(other, alias)}`);
    return ways.length === 0 ? 'There is no other site right now.' : `${what} at ${ways.join(', or at ')}`;
  }
}
