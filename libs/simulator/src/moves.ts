import type { ConferenceAct, PersonId } from '@isthmus/conference';
import type { SiteId } from '@isthmus/kernel';
import type { Window } from './people.js';
import type { Random } from './random.js';
import type { SimulatedSite } from './site.js';
import type { Episode } from './weather.js';
import type { World } from './world.js';

/** In one of so many worlds a site is to end. */
const ONE_OF = 12;
/** As the gateway-router offers it (ADR 0090): the first goes after this long, the others this far apart; by so many ways at most. */
const FIRST_AFTER_MS = 500;
const APART_MS = 200;
const WAYS_MAX = 3;
/** Sites that are nearer to each other than this, in round-trip time, are equally near. */
const AS_NEAR_MS = 20;
/** How long a client tries one way; a browser has more patience, and a history less time. */
const TRIES_MS = 4_000;
const LOOKS_EVERY_MS = 100;

const ACTS = ['mute', 'unmute', 'camera-off', 'make-host', 'make-guest', 'remove', 'lock', 'unlock', 'mute-all-guests', 'lock'] as const;

/** One attempt to be in the same meeting by another site. */
interface Attempt {
  readonly from: Window;
  readonly to: Window;
  readonly begunMs: number;
  /** When media come by it; undefined: never. */
  throughMs: number | undefined;
}

/**
 * Sites that are to end, and their people, who move by themselves to another one (ADR 0090): what the gateway-router and the clients
 * do there. All that is up to chance here is drawn from a stream of its own, so a world in which nobody moves is what it would be
 * without this.
 */
export class Moves {
  /** Whether any site is to end in this world. */
  readonly happen: boolean;
  /** Sites whose people have been told. */
  readonly #told = new Set<SimulatedSite>();
  /** Which offer a window goes by; an earlier one is not gone on with. */
  readonly #offers = new Map<Window, number>();
  readonly #attempts = new Map<Window, Attempt>();
  #troubled = false;

  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {
    const meant = random.happens(1 / ONE_OF);
    this.happen = meant || world.options.moves === true;
  }

  /** When which site is to end, and what goes wrong just then. Never all sites at once: management refuses that. */
  plan(endMs: number, episodes: readonly Episode[]): void {
    if (!this.happen) return;
    const { random, world } = this;
    const sites = random.shuffled(world.sites).slice(0, random.between(1, Math.min(2, world.sites.length - 1)));
    const within = (ms: number) => Math.max(2_000, Math.min(ms, endMs - 1_500));
    for (const site of sites) {
      const { fromMs, untilMs } = random.pick(episodes);
      // Where nobody hears each other there is no way, so most begin while links hold, and some just before they do not.
      const [calmMs, lastMs, backMs] = [
        random.between(2_000, fromMs),
        fromMs - random.between(0, 2_500),
        untilMs + random.between(0, 4_000),
      ];
      const drainedMs = within(random.pick([calmMs, lastMs, lastMs, backMs, random.between(2_000, endMs)]));
      this.#at(drainedMs, () => this.#drains(site));
      if (random.happens(0.4)) this.#at(drainedMs, () => this.#breaks(random.happens(0.5) ? site : random.pick(world.sites), endMs));
      if (!random.happens(0.3)) continue;
      const returnedMs = within(drainedMs + random.between(300, 8_000));
      this.#at(returnedMs, () => this.#returns(site));
      if (random.happens(0.5)) this.#at(returnedMs + random.between(100, 3_000), () => this.#drains(site));
    }
    this.#troubled = random.happens(0.7);
    this.follow();
  }

  /** From here on, whoever is at a site that is to end is told so, and goes. */
  follow(): void {
    this.world.people.onSeated = (window) => {
      if (window.site.isDraining && window.comesFrom === undefined && !window.abandoned) this.#offer(window, 0);
    };
  }

  /** A site has heard of the estate: who is in is told once. */
  administered(site: SimulatedSite): void {
    if (site.isDraining && !this.#told.has(site))
      this.world.people.windows
        .filter((window) => window.site === site && window.comesFrom === undefined && window.state !== 'out' && window.state !== 'leaving')
        .forEach((window, at) => this.#offer(window, at));
    if (site.isDraining) this.#told.add(site);
    else this.#told.delete(site);
  }

  /** Whether somebody is between two sites. */
  isUnderWay(person: PersonId): boolean {
    return [...this.#attempts.keys()].some((window) => window.person.id === person);
  }

  #at(ms: number, work: () => void): void {
    this.world.schedule.after(ms - this.world.schedule.nowMs, work);
  }

  #drains({ id }: SimulatedSite): void {
    const { management, sites } = this.world;
    if (management.draining.has(id) || sites.every((other) => other.id === id || management.draining.has(other.id))) return;
    this.world.note('site that is to end');
    management.setDraining(id, true);
  }

  #returns({ id }: SimulatedSite): void {
    const { management } = this.world;
    if (management.draining.has(id)) management.setDraining(id, false);
  }

  /** Brains die most where they write most. */
  #breaks(site: SimulatedSite, endMs: number): void {
    const { schedule } = this.world;
    if (site.frailty > 0) return;
    site.frailty = this.random.pick([0.1, 0.3]);
    this.#at(Math.min(endMs, schedule.nowMs + this.random.between(2_000, 6_000)), () => (site.frailty = 0));
  }

  /** Its site tells a client where to go, and when. */
  #offer(window: Window, at: number): void {
    const ways = this.#waysFrom(window.site);
    const offer = (this.#offers.get(window) ?? 0) + 1;
    this.#offers.set(window, offer);
    this.#giveUp(window);
    const afterMs = FIRST_AFTER_MS + at * APART_MS + this.random.between(0, APART_MS);
    this.world.schedule.after(afterMs, () => this.#goes(window, ways, offer));
  }

  #waysFrom({ id, estate, links }: SimulatedSite): readonly SimulatedSite[] {
    const linkTo = new Map(links.map((link) => [link.site, link]));
    const isWay = (site: SiteId) => site !== id && estate?.sites[site]?.draining !== true && linkTo.get(site)?.up !== false;
    const far = (site: SiteId) => Math.floor((linkTo.get(site)?.rttMs ?? 1e9) / AS_NEAR_MS);
    return this.random
      .shuffled(this.world.sites)
      .filter((site) => isWay(site.id))
      .toSorted((one, other) => far(one.id) - far(other.id))
      .slice(0, WAYS_MAX);
  }

  /** By one way after the other; after the last, the person is asked. */
  #goes(window: Window, ways: readonly SimulatedSite[], offer: number): void {
    const isMeant = window.leg !== undefined && (window.state === 'in' || window.state === 'lost' || window.state === 'asking');
    if (this.#offers.get(window) !== offer || window.state === 'out' || window.state === 'leaving') return;
    const [to, ...others] = ways;
    if (to === undefined || !isMeant) return this.#asks(window, offer);
    const { world, random } = this;
    const next = () => this.#goes(window, others, offer);
    if (to.isDraining || random.happens(0.1)) {
      world.note('move: no way');
      world.schedule.after(random.between(50, TRIES_MS), next);
      return;
    }
    const attempt: Attempt = { from: window, to: world.people.moves(window, to), begunMs: world.schedule.nowMs, throughMs: undefined };
    this.#attempts.set(window, attempt);
    if (this.#troubled) this.#meddle(attempt);
    this.#watch(attempt, next);
  }

  #watch(attempt: Attempt, next: () => void): void {
    const { world, random } = this;
    const { from, to } = attempt;
    world.schedule.after(LOOKS_EVERY_MS, () => {
      if (this.#attempts.get(from) !== attempt) return;
      if (from.state === 'out' || from.state === 'leaving') return this.#giveUp(from);
      const inTime = world.schedule.nowMs < attempt.begunMs + TRIES_MS;
      const seat = to.state === 'in' ? to.site.views.get(to.room)?.seats.find(({ leg }) => leg === to.leg) : undefined;
      const goesOn = inTime && (to.state === 'asking' || (to.state === 'in' && seat?.held !== true));
      if (!goesOn) {
        world.note(inTime ? `move: ${seat?.held === true ? 'held' : to.state}` : 'move: too late');
        this.#giveUp(from);
        return next();
      }
      // Media take a while, and may not come at all.
      if (to.state === 'in') attempt.throughMs ??= random.happens(0.1) ? Infinity : world.schedule.nowMs + random.between(100, 1_500);
      if (world.schedule.nowMs < (attempt.throughMs ?? Infinity)) return this.#watch(attempt, next);
      this.#arrived(attempt);
    });
  }

  /** Media come by the new seat: the former is left. */
  #arrived({ from, to }: Attempt): void {
    this.world.note('move: arrived');
    this.#attempts.delete(from);
    to.comesFrom = undefined;
    this.world.people.letsGo(from);
    if (to.site.isDraining) this.#offer(to, 0);
  }

  /** Whatever went wrong: nothing is left of the new seat. */
  #giveUp(from: Window): void {
    const attempt = this.#attempts.get(from);
    if (attempt === undefined) return;
    this.#attempts.delete(from);
    this.world.people.letsGo(attempt.to);
  }

  /** Nobody else can help: they leave, and come to another site, as somebody new there. */
  #asks(window: Window, offer: number): void {
    const { world, random } = this;
    world.note('move: asked');
    world.schedule.after(random.between(500, 4_000), () => {
      if (this.#offers.get(window) !== offer || window.state === 'out' || window.state === 'leaving') return;
      world.people.letsGo(window);
      const [site] = this.#waysFrom(window.site);
      if (site !== undefined) world.people.opens(site, window.room, { role: window.person.role });
    });
  }

  /** What can happen to somebody who is between two sites. */
  #meddle({ from, to }: Attempt): void {
    const { world, random } = this;
    const { people, schedule } = world;
    const soon = () => random.between(0, 1_800);
    if (random.happens(0.6)) schedule.after(soon(), () => this.#act(from, to));
    const what = random.pick(['nothing', 'nothing', 'nothing', 'back', 'back', 'third', 'leave', 'crash'] as const);
    schedule.after(soon(), () => {
      if (from.state !== 'in') return;
      if (what === 'back') people.reconnects(from);
      else if (what === 'leave') people.leaves(from);
      else if (what === 'third') people.opens(random.pick(world.sites), from.room, from.person);
      else if (what === 'crash') random.pick([from, to]).site.crash();
      if (what !== 'nothing') world.note(`move: meanwhile ${what}`);
    });
  }

  #act(from: Window, to: Window): void {
    const { world, random } = this;
    const type = random.pick(ACTS);
    const hosts = world.people.there().filter(({ person, room, state }) => person.role === 'host' && room === from.room && state === 'in');
    if (hosts.length === 0 || (type === 'remove' && random.happens(0.5))) return;
    const leg = random.pick([from, to]).leg ?? from.leg!;
    const act: ConferenceAct = type === 'lock' || type === 'unlock' || type === 'mute-all-guests' ? { type } : { type, leg };
    world.note(`move: meanwhile ${type}`);
    world.people.acts(random.pick(hosts), act);
  }
}
