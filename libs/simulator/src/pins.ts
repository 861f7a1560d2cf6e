import type { Role } from '@isthmus/conference';
import { pinsOf } from '@isthmus/estate';
import type { Person, Window } from './people.js';
import type { Random } from './random.js';
import type { Episode } from './weather.js';
import type { World } from './world.js';

/** In one of so many worlds rooms have PINs. */
const ONE_OF = 12;

/**
 * PINs that management sets and changes, people who know the right one or an older one, and what gateway-routers do at their doors by
 * what their site knows (ADR 0030). All that is up to chance here is drawn from a stream of its own, so a world without PINs is what
 * it would be without this.
 */
export class Pins {
  /** Whether rooms have PINs in this world. */
  readonly happen: boolean;
  /** What opens a door in a role, by management's last word, and before that. */
  readonly #set = new Map<string, { readonly now: string; readonly before: string }>();
  /** What a person types at a room's door. */
  readonly #known = new Map<string, string>();
  #count = 0;

  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {
    const meant = random.happens(1 / ONE_OF);
    this.happen = meant || world.options.pins === true;
  }

  /** When which PIN is changed, and who does not hear of it. */
  plan(endMs: number, episodes: readonly Episode[]): void {
    if (!this.happen) return;
    const { random, world } = this;
    this.keepDoors();
    for (const room of world.rooms) this.changes(room, random.happens(0.7) ? ['host', 'guest'] : ['host']);
    for (let n = random.between(1, 3); n > 0; n--) {
      const room = random.pick(world.rooms);
      const { fromMs, untilMs } = random.pick(episodes);
      const within = () => random.between(fromMs, untilMs);
      const ms = random.pick([fromMs - random.between(0, 2_000), within(), within(), untilMs + random.between(0, 1_500)]);
      const changedMs = Math.max(1_000, Math.min(ms, endMs - 1_500));
      const roles = random.pick([['host'], ['guest'], ['host', 'guest']] as const);
      world.schedule.after(changedMs, () => this.changes(room, roles));
      if (random.happens(0.3)) continue;
      // Whom management does not reach lets people in by the old one, until somebody who knows is back in reach.
      for (const { id } of random.shuffled(world.sites).slice(0, random.between(1, world.sites.length - 1))) {
        const foundMs = Math.min(endMs, changedMs + random.between(2_000, 15_000));
        world.schedule.after(changedMs - 1, () => world.management.lose(id));
        world.schedule.after(foundMs, () => world.management.find(id));
      }
    }
  }

  /** From here on, doors ask for PINs. */
  keepDoors(): void {
    this.world.people.door = (window) => this.#door(window);
  }

  /** Management sets new PINs. */
  changes(room: string, roles: readonly Role[]): void {
    this.world.note('PIN set');
    this.#count += 1;
    const change = roles.map((role) => {
      const now = `${role} PIN ${this.#count}`;
      this.#set.set(`${role} of ${room}`, { now, before: this.#set.get(`${role} of ${room}`)?.now ?? now });
      return [`${role}PinHash`, now] as const;
    });
    this.world.management.setPins(room, Object.fromEntries(change));
  }

  /** What somebody at a door has proved; undefined if it stays shut. Whoever has a seat there gets back to it, whatever they know. */
  #door({ person, room, site, resume }: Window): { readonly proof?: number } | undefined {
    const { role } = person;
    const rules = site.estate?.rooms[room];
    if (site.estate === undefined || rules === undefined) return {};
    const proof = pinsOf(site.estate, room)[role];
    const needed = role === 'host' ? rules.hostPinHash : rules.guestPinHash;
    if (needed === null || this.#typed(person, room, needed) === needed) return { proof };
    return resume === undefined ? undefined : {};
  }

  #typed({ id, role }: Person, room: string, needed: string): string {
    const name = `${id} in ${room}`;
    const { now, before } = this.#set.get(`${role} of ${room}`) ?? { now: needed, before: needed };
    const typed = this.#known.get(name) ?? (this.random.happens(0.6) ? now : this.random.pick([needed, before]));
    // Whoever stood before a shut door asks somebody for the right one.
    this.#known.set(name, typed === needed ? typed : now);
    return typed;
  }
}
