import type { Fact, SiteId } from '@isthmus/kernel';
import type { NodeDesire } from '@isthmus/placement';
import type { Cancel } from '@isthmus/ports';
import type { ViewPublished } from '@isthmus/protocol';
import { allAreOneForGood, compareSides, compareSites } from './comparison.js';
import { Ledger } from './ledger.js';
import { Management } from './management.js';
import { Moves } from './moves.js';
import { Network } from './network.js';
import { People } from './people.js';
import { Pins } from './pins.js';
import { lieOf } from './poison.js';
import { Random } from './random.js';
import { Schedule } from './schedule.js';
import { SimulatedSite, type SiteEvents } from './site.js';
import { planStory } from './story.js';

export interface WorldOptions {
  /** How many sites; left out, the seed decides: 2 to 5. */
  readonly sites?: number;
  /** Whether disks are put back to old backups often. */
  readonly restores?: boolean;
  /** Whether sites are to end, and their people move to others. */
  readonly moves?: boolean;
  /** Whether rooms have PINs, which are changed. */
  readonly pins?: boolean;
}

export interface Outcome {
  readonly seed: number;
  /** What was broken; empty if all is well. */
  readonly violations: readonly string[];
  /** Words for what happened, each with how often. */
  readonly did: ReadonlyMap<string, number>;
  /** At least two sides that could not hear each other both recorded something in one room, and became one. */
  readonly merged: boolean;
  /** Names the whole history: equal for equal runs. */
  readonly print: string;
}

const NAMES = ['nyc', 'lon', 'cpt', 'sin', 'syd'] as const;
/** Long enough for links to be dialled again, for orphans to be swept (20 s), and for one exchange round. */
const AFTERMATH_MS = 32_000;
/** And so much longer where a link was lost again and again, and at last because a brain died: it is heard for half a minute before it counts. */
const UNTIL_LINKS_MS = 16_000;
const LOOK_AGAIN_MS = 1_000;

/** How long a site may take others for reachable that are not. */
const REACH_STALE_MS = 5_000;
/** How much longer for each site that crashes meanwhile: it may be the one that is about to find out, and its word counts until it is missed. */
const WORD_OUTLIVES_MS = 1_500;

/** Several sites, their people and what befalls them, by one seed. */
export class World implements SiteEvents {
  readonly schedule = new Schedule();
  readonly random: Random;
  readonly network: Network;
  readonly management: Management;
  readonly ledger: Ledger;
  readonly people: People;
  readonly moves: Moves;
  readonly pins: Pins;
  readonly sites: readonly SimulatedSite[];
  readonly rooms: readonly string[];
  readonly did = new Map<string, number>();
  merged = false;
  readonly #crashesAt: number[] = [];

  constructor(
    readonly seed: number,
    readonly options: WorldOptions,
  ) {
    this.random = new Random(seed, 'world');
    this.management = new Management(this.schedule);
    this.ledger = new Ledger(this.management.disabled, (room) => this.management.seatsMax.get(room) ?? 0);
    this.people = new People(this.schedule, new Random(seed, 'people'), this.ledger);
    const count = options.sites ?? this.random.pick([2, 2, 3, 3, 3, 4, 4, 5]);
    const ids = Array.from({ length: count }, (_, i) => (NAMES[i] ?? `s${i}`) as SiteId);
    this.network = new Network(this.schedule, new Random(seed, 'network'), ids);
    this.rooms = this.random.pick([['r0'], ['r0'], ['r0'], ['r0', 'r1']]);
    for (const id of ids) this.management.enrol(id);
    for (const id of this.rooms)
      this.management.create({
        id,
        guestsWaitForHost: this.random.happens(0.3),
        seatsMax: this.random.pick([3, 8, 50, 50]),
      });
    this.sites = ids.map(
      (id) =>
        new SimulatedSite(id, seed, this.network, this.management, this, (other) => this.sites.find((site) => site.id === other)?.peers),
    );
    this.moves = new Moves(this, new Random(seed, 'moves'));
    this.pins = new Pins(this, new Random(seed, 'pins'));
  }

  /** Every site starts. */
  begin(): void {
    for (const site of this.sites) this.#startsIn(this.random.between(0, 300), site);
  }

  /** From nothing to one meeting again. What breaks on the way, in a timer or where nobody waits for it, is a failure of this seed. */
  async live(): Promise<Outcome> {
    const { sites } = this;
    const unheard = (error: unknown) => this.#unheard(error);
    process.on('unhandledRejection', unheard);
    process.on('uncaughtException', unheard);
    try {
      await this.#passes();
    } catch (error) {
      this.#unheard(error);
    } finally {
      process.off('unhandledRejection', unheard);
      process.off('uncaughtException', unheard);
    }
    // Node keeps every joined signal with a listener until it is aborted, and with it all of this world.
    for (const { peers } of sites) peers?.kill();
    const print = sites.map(({ disk }) => [...disk.facts.keys()].sort().join()).join('|');
    return { seed: this.seed, violations: this.ledger.violations, did: this.#summary(), merged: this.merged, print };
  }

  async #passes(): Promise<void> {
    const { schedule } = this;
    this.begin();
    const { endMs, episodes } = planStory(this, new Random(this.seed, 'story'));
    for (const { kind } of episodes) this.note(`partition: ${kind}`);
    this.moves.plan(endMs, episodes);
    this.pins.plan(endMs, episodes);
    await schedule.runUntil(endMs);
    const overMs = endMs + AFTERMATH_MS;
    await schedule.runUntil(overMs);
    while (!allAreOneForGood(this) && schedule.nowMs < overMs + UNTIL_LINKS_MS) await schedule.runUntil(schedule.nowMs + LOOK_AGAIN_MS);
    compareSites(this);
  }

  #unheard(error: unknown): void {
    this.ledger.violated('no failure goes unheard', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }

  note(what: string, count = 1): void {
    this.did.set(what, (this.did.get(what) ?? 0) + count);
  }

  view(site: SimulatedSite, published: ViewPublished): void {
    this.people.ended(site, published);
    this.people.admitted(published.attach.map(({ leg }) => leg));
  }

  administered(site: SimulatedSite): void {
    this.moves.administered(site);
  }

  crashed(site: SimulatedSite): void {
    this.note('crash');
    this.#crashesAt.push(this.schedule.nowMs);
    this.people.lost(site);
    this.#startsIn(this.random.between(300, 5_000), site);
  }

  started(site: SimulatedSite): void {
    this.people.found(site);
  }

  /** Where a fact names the sites that were in reach, they were. */
  recorded(site: SimulatedSite, facts: readonly Fact[]): void {
    for (const { type, body } of facts) {
      const { reach, sites } = body as { readonly reach?: readonly SiteId[]; readonly sites?: readonly SiteId[] };
      for (const other of [...(reach ?? []), ...(type === 'MeetingEnded' ? (sites ?? []) : [])]) {
        const apartMs = this.network.apartForMs(site.id, other);
        const crashes = this.#crashesAt.filter((ms) => ms >= this.schedule.nowMs - apartMs).length;
        if (apartMs > REACH_STALE_MS + crashes * WORD_OUTLIVES_MS)
          this.ledger.violated('reach is who can be reached', `${site.id} names ${other} in ${type}`);
      }
    }
  }

  snapshot(site: SimulatedSite, what: string, room: string): void {
    this.note(`snapshot ${what}`);
    if (what === 'contradicted')
      this.ledger.violated('snapshot + tail = replay', `${site.id} had kept something else of ${room} than its facts come to`);
  }

  ignored(site: SimulatedSite, { node, version }: NodeDesire): void {
    this.ledger.violated('desires are numbered', `${node} of ${site.id} takes ${JSON.stringify(version)} for older than what it does`);
  }

  /** Somebody writes into a store who is no brain. The brain reads it when it starts again. */
  lies(site: SimulatedSite): void {
    const lie = lieOf(site, (this.#lies += 1), this.random);
    if (lie === undefined) return;
    this.note(`poison: ${lie.type}`);
    site.disk.insert(lie);
    site.crash();
  }

  #lies = 0;

  restores(site: SimulatedSite): void {
    if (!site.hasBackup) return;
    this.note('restored backup');
    site.crash();
    const lost = site.restore();
    this.ledger.forgive(
      lost,
      this.sites.filter((other) => other !== site),
    );
  }

  disables(room: string): void {
    this.note('room disabled');
    this.ledger.wasDisabled.add(room);
    this.management.setDisabled(room, true);
  }

  /** A split is about to end. */
  heals(): void {
    if (this.#bothSidesWrote()) {
      this.merged = true;
      this.note('merge of histories from both sides');
    }
    compareSides(this);
  }

  /** Two sites each hold something of their own of one room that the other does not. */
  #bothSidesWrote(): boolean {
    const own = this.sites.map(({ id, disk }) => ({
      id,
      disk,
      facts: disk.rows('conference').filter(({ stream }) => stream.includes(`@${id}.`)),
    }));
    return own.some((one) =>
      own.some(
        (other) =>
          one !== other &&
          one.facts.some(({ hash }) => !other.disk.facts.has(hash)) &&
          other.facts.some(({ hash }) => !one.disk.facts.has(hash)),
      ),
    );
  }

  readonly #starting = new Map<SimulatedSite, Cancel>();

  /** One supervisor: whatever else was to start it, does not. */
  #startsIn(ms: number, site: SimulatedSite): void {
    this.#starting.get(site)?.();
    this.#starting.set(
      site,
      this.schedule.after(ms, () => void this.#starts(site)),
    );
  }

  async #starts(site: SimulatedSite): Promise<void> {
    const tenure = site.tenure + 1;
    try {
      await site.start();
    } catch (error) {
      // Whoever killed it meanwhile starts it again.
      if (site.tenure !== tenure) return;
      // A full disk: the supervisor tries again.
      this.note('start failed');
      if (!site.disk.full) this.ledger.violated('a brain comes back from its streams', String(error));
      this.#startsIn(1_000, site);
    }
  }

  #summary(): ReadonlyMap<string, number> {
    this.note('facts', Math.max(...this.sites.map(({ disk }) => disk.rows('conference').length)));
    this.note('persons', this.people.persons.length);
    this.note(`${this.sites.length} sites`);
    for (const [what, count] of this.people.tally) this.note(what, count);
    return this.did;
  }
}

/** Lives one seed through. */
export const runSeed = (seed: number, options: WorldOptions = {}): Promise<Outcome> => new World(seed, options).live();
