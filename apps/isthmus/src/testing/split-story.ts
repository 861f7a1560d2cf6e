import { eventually } from '@isthmus/bots';
import type { BotReport, CrewReport, Moment } from './crew-protocol.js';
import type { SiteInWorld, WorldOfSites } from './world-of-sites.js';

/** Whoever is in the meeting, by site. */
export type Present = ReadonlyMap<string, readonly string[]>;

/** How long after the cut, or after the heal, the last of all bots had it right; ms. */
export interface SplitFigures {
  /** The roster says that those beyond the cut are out of reach. */
  readonly noticedMs: number;
  /** Nobody from beyond the cut is on anybody's stage. */
  readonly offStageMs: number;
  /** Everybody has everybody in reach again, and the pictures of their stage arrive. */
  readonly againMs: number;
  /** The longest that a bot got nothing from somebody of its own site who was on its stage; and how long its process itself stood still. */
  readonly localGapMs: number;
  readonly stallMs: number;
}

export const GUEST_PIN = '081500';
export const ROOM = 'board';
/** For a link that flapped so often that it is watched for half a minute, on a machine that has much else to do; what is promised is in the figures. */
const PATIENCE_MS = 90_000;
const FEW_MS = 1_500;

/** A meeting of bots at every site of a world, that is split and comes together again. */
export class SplitStory {
  private readonly present = new Map<string, string[]>();
  private readonly log = new Map<string, Moment[]>();
  private joined = 0;
  private gaps = { localGapMs: 0, stallMs: 0 };

  constructor(private readonly world: WorldOfSites) {}

  /** The room exists, and somebody of each site is in it. */
  async begin(perSite: number): Promise<void> {
    await this.world.administer([
      { do: 'ask', method: 'POST', path: '/v1/rooms', body: { name: 'Board', aliases: [ROOM], guestPin: GUEST_PIN, hostPin: '471100' } },
    ]);
    for (let n = 0; n < perSite; n += 1) for (const { id } of this.world.sites) await this.join(id);
    await this.isOne();
  }

  /** Comes as soon as there is a way in: the room may not have come to the site yet, or a node. */
  async join(site: string): Promise<string> {
    let name = '';
    await eventually(async () => {
      const outcome = await this.tryToJoin(site).catch((error: unknown) => error);
      if (typeof outcome === 'string') name = outcome;
      return typeof outcome === 'string' ? [] : [`nobody more can join at ${site}: ${String(outcome)}`];
    }, PATIENCE_MS);
    return name;
  }

  async tryToJoin(site: string): Promise<string> {
    const { crew, gatewayUrl } = this.world.site(site);
    const number = (this.joined += 1);
    const name = `${site}-${number}`;
    await crew.join(name, { gatewayUrl, alias: ROOM, pin: GUEST_PIN, persona: number % 8 });
    this.present.set(site, [...this.at(site), name]);
    return name;
  }

  async leave(name: string): Promise<void> {
    const site = this.siteOf(name);
    await this.world.site(site).crew.leave(name);
    this.present.set(
      site,
      this.at(site).filter((other) => other !== name),
    );
  }

  /** Somebody outside of the crews, such as a browser. */
  add(site: string, name: string): void {
    this.present.set(site, [...this.at(site), name]);
    this.strangers.add(name);
  }
  private readonly strangers = new Set<string>();

  at(...sites: readonly string[]): readonly string[] {
    return sites.flatMap((site) => this.present.get(site) ?? []);
  }

  get all(): readonly string[] {
    return [...this.present.values()].flat();
  }

  /** Speaks until everybody whom it should concern has them on the floor. */
  async speak(name: string, heardAt: readonly string[]): Promise<void> {
    const { crew } = this.world.site(this.siteOf(name));
    await crew.speak(name, 3_000);
    let spokenAt = performance.now();
    await eventually(async () => {
      if (performance.now() - spokenAt > 4_000) {
        await crew.speak(name, 3_000);
        spokenAt = performance.now();
      }
      return (await this.look(heardAt)).flatMap((bot) =>
        bot.floor === name ? [] : [`${bot.name} has ${bot.floor} on the floor, not ${name}`],
      );
    }, PATIENCE_MS);
  }

  /**
   * Cuts `some` sites off the others for at least `apartMs`; on both sides people come by PIN, go and speak; then the wire is
   * whole again and nobody does anything.
   */
  async splitAndRejoin(some: readonly string[], apartMs: number): Promise<SplitFigures> {
    const sites = this.world.sites.map(({ id }) => id);
    const others = sites.filter((id) => !some.includes(id));
    const sides = [some, others] as const;
    await this.look(sites);
    this.gaps = { localGapMs: 0, stallMs: 0 };
    this.log.clear();
    const steady = this.bots;
    const cutAt = Date.now();
    await this.world.wire.cut(some, others);
    await Promise.all(sides.map((side) => this.isOne(side)));
    const noticedMs = this.lastOf(steady, cutAt, (moment, mine) => moment.inReach.every((name) => mine.has(name)), sides);
    const offStageMs = this.lastOf(steady, cutAt, (moment, mine) => moment.stage.every((name) => mine.has(name)), sides);
    for (const side of sides) {
      // A site without people has nothing to notice: the last one there stays.
      const [oldest] = this.at(...side).filter((name) => !this.strangers.has(name) && this.at(this.siteOf(name)).length > 1);
      const speaker = await this.join(side.at(-1)!);
      await this.speak(speaker, side);
      if (oldest !== undefined && this.at(...side).length > 3) await this.leave(oldest);
      await this.isOne(side);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.max(FEW_MS, apartMs - (Date.now() - cutAt))));
    await this.look(sites);
    this.log.clear();
    const healedAt = Date.now();
    await this.world.wire.heal();
    await this.isOne();
    const again = (moment: Moment) => moment.shown && moment.inReach.join() === [...this.all].toSorted().join() && moment.stage.length > 0;
    const againMs = this.lastOf(this.bots, healedAt, again, [sites]);
    return { noticedMs, offStageMs, againMs, ...this.gaps };
  }

  /**
   * Everybody at these sites sees everybody at these sites in pictures, and nobody else; everybody else is known but out of
   * reach. Nobody was put out, nobody is listed twice, nobody who has left is listed.
   */
  async isOne(sites: readonly string[] = this.world.sites.map(({ id }) => id)): Promise<void> {
    const here = [...this.at(...sites)].toSorted();
    await eventually(async () => {
      const reports = await this.look(sites);
      const told = reports.flatMap((bot) => [
        ...bot.missing,
        ...(bot.moments.at(-1)?.inReach.join() === here.join()
          ? []
          : [`${bot.name} has in reach ${bot.moments.at(-1)?.inReach.join()} and not ${here.join()}`]),
        ...bot.roster.filter((name, at, all) => all.indexOf(name) !== at).map((name) => `${bot.name} has ${name} twice`),
        ...bot.ended.map((reason) => `${bot.name} was put out: ${reason}`),
      ]);
      return [
        ...told,
        ...(reports.length === here.length - this.strangersAt(sites) ? [] : [`${reports.length} bots for ${here.length} people`]),
      ];
    }, PATIENCE_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.world.logs}`, { cause: error });
    });
  }

  /** Every site has folded the same facts to the same state, byte for byte. */
  async isEqualEverywhere(): Promise<void> {
    await eventually(async () => {
      const told = await Promise.all(this.world.sites.map(async (site) => [site.id, await digestsOf(site)] as const));
      const [, first] = told[0]!;
      return told.flatMap(([id, digest]) =>
        digest === first && digest.length > 2 ? [] : [`${id} has ${digest}, ${told[0]![0]} has ${first}`],
      );
    }, PATIENCE_MS);
  }

  /** Nobody lost a connection, and nobody had to come back. */
  async nobodyWasDisconnected(): Promise<readonly string[]> {
    const reports = await this.look(this.world.sites.map(({ id }) => id));
    const lost = (notice: string) => notice.startsWith('bot.returning') || notice.startsWith('bot.reattaching');
    return reports.flatMap(({ name, ended, notices }) => [...ended, ...notices.filter(lost)].map((what) => `${name}: ${what}`));
  }

  /** Does something, and tells for how long at most somebody's pictures were not those of their stage meanwhile; ms. */
  async darkWhile(work: () => Promise<void>): Promise<number> {
    const sites = this.world.sites.map(({ id }) => id);
    await this.look(sites);
    this.log.clear();
    await work();
    await this.look(sites);
    const now = Date.now();
    const spans = [...this.log.values()].flatMap((moments) => {
      let since: number | undefined;
      return [...moments, { at: now, shown: true }].map(({ at, shown }) => {
        const darkMs = since === undefined ? 0 : at - since;
        since = shown ? undefined : (since ?? at);
        return darkMs;
      });
    });
    return Math.max(0, ...spans);
  }

  private async look(sites: readonly string[]): Promise<readonly BotReport[]> {
    const reports: readonly CrewReport[] = await Promise.all(sites.map((id) => this.world.site(id).crew.report()));
    for (const { bots, stallMs } of reports) {
      this.gaps.stallMs = Math.max(this.gaps.stallMs, stallMs);
      for (const { name, moments, localGapMs } of bots) {
        this.gaps.localGapMs = Math.max(this.gaps.localGapMs, localGapMs);
        this.log.set(name, [...(this.log.get(name) ?? []), ...moments]);
      }
    }
    return reports.flatMap(({ bots }) => bots);
  }

  /** When the last of these bots had it so for good, as far as the log goes. */
  private lastOf(
    bots: readonly string[],
    since: number,
    holds: (moment: Moment, mine: ReadonlySet<string>) => boolean,
    sides: readonly (readonly string[])[],
  ): number {
    const times = bots.map((name) => {
      const mine = new Set(sides.filter((side) => this.at(...side).includes(name)).flatMap((side) => this.at(...side)));
      const moments = (this.log.get(name) ?? []).filter(({ at }) => at >= since);
      const wrong = moments.findLastIndex((moment) => !holds(moment, mine));
      return (moments[wrong + 1]?.at ?? since) - since;
    });
    return Math.max(...times);
  }

  private get bots(): readonly string[] {
    return this.all.filter((name) => !this.strangers.has(name));
  }

  private strangersAt(sites: readonly string[]): number {
    return this.at(...sites).filter((name) => this.strangers.has(name)).length;
  }

  private siteOf(name: string): string {
    const found = [...this.present].find(([, names]) => names.includes(name));
    if (found === undefined) throw new Error(`${name} is not in the meeting`);
    return found[0];
  }
}

const digestsOf = async (site: SiteInWorld): Promise<string> => {
  const rooms = await site.digests();
  const living = rooms.filter(({ occasions }) => occasions.length > 0).toSorted((a, b) => a.room.localeCompare(b.room));
  return JSON.stringify(
    living.map(({ room, occasions }) => ({ room, occasions: occasions.toSorted((a, b) => a.state.localeCompare(b.state)) })),
  );
};
