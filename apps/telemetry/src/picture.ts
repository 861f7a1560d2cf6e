import type { ConferenceStatus, NodeReport, SiteReport, Status, Supervision, TelemetryBatch } from '@isthmus/protocol';
import { nodeWordOf, type NodeWord } from '@isthmus/estate';
import { Alarms } from './alarms.js';
import { conditionsIn, givenUpIn } from './conditions.js';
import { NO_TRAFFIC, Rates, sumOf } from './rates.js';
import { ClockSeen } from './clock-seen.js';
import { componentsOf } from './sides.js';
import { mcuSiteOf, mcuUnitsBetween, savingsOf, unitsOf } from './savings.js';

/** Names, what was said of media nodes, and the revision, as far as telemetry goes by the estate. */
export interface KnownEstate {
  readonly revision: number;
  readonly rooms: Readonly<Record<string, { readonly name: string }>>;
  readonly sites: Readonly<Record<string, { readonly name: string }>>;
  readonly nodes?: Readonly<Record<string, NodeWord>>;
}

export interface Moment {
  /** ms since 1970. */
  readonly now: number;
  readonly monotonic: number;
}

interface NodeSeen {
  readonly report: NodeReport;
  readonly heardAt: number;
}

interface SiteSeen {
  report: SiteReport | undefined;
  readonly nodes: Map<string, NodeSeen>;
  /** Last batch, by our two clocks. */
  heardAt: number;
  heardAtWall: number;
  readonly clock: ClockSeen;
}

/** Without a batch for so long a site is silent (it sends one each second). ms. */
const SITE_SILENT_MS = 4_000;
const NODE_SILENT_MS = 4_000;
/** What a silent site last said is shown for so long, in case only its way to here is broken. */
const SITE_FORGOTTEN_MS = 60_000;
const NODE_FORGOTTEN_MS = 60_000;
const CONFERENCE_FORGOTTEN_MS = 30_000;
/** After management started, sites get so long to report before they are called silent. */
const START_GRACE_MS = 8_000;

type Link = Status['links'][number];
type ConferenceLink = ConferenceStatus['links'][number];
type Pipe = NodeReport['pipes'][number];

/** Puts together what sites report, and says at any moment how the whole estate runs. Holds the present only: history is facts. */
export class Picture {
  private readonly sites = new Map<string, SiteSeen>();
  private readonly rates = new Rates();
  private readonly alarms = new Alarms();
  private readonly started = new Map<string, { readonly at: number; lastSeen: number }>();
  /** Processes that are not started again any more. */
  private readonly givenUp = new Map<string, Supervision>();
  private estate: KnownEstate | undefined;
  private readonly since: number;

  constructor(start: Moment) {
    this.since = start.monotonic;
  }

  /** From `TOPICS.estate`. */
  know(estate: KnownEstate): void {
    this.estate = estate;
    for (const site of this.sites.keys()) if (!Object.hasOwn(estate.sites, site)) this.sites.delete(site);
  }

  /** From `TOPICS.supervision`. */
  supervised(told: Supervision): void {
    if (told.state === 'given-up') this.givenUp.set(told.part, told);
    else this.givenUp.delete(told.part);
  }

  /** From `TOPICS.batches`: in order per site. */
  take(batch: TelemetryBatch, { now, monotonic }: Moment): void {
    const before = this.sites.get(batch.site);
    const seen: SiteSeen = before ?? { report: undefined, nodes: new Map(), heardAt: monotonic, heardAtWall: now, clock: new ClockSeen() };
    seen.clock.note(batch.sentAt - now, monotonic);
    seen.report = batch.report ?? seen.report;
    seen.heardAt = monotonic;
    seen.heardAtWall = now;
    for (const report of batch.nodes) {
      seen.nodes.set(report.node, { report, heardAt: monotonic });
      for (const pipe of report.pipes) this.rates.note(keyOf(report, pipe), report.at, pipe.sent, monotonic);
    }
    this.sites.set(batch.site, seen);
  }

  status(moment: Moment): Status {
    this.forget(moment);
    const said = this.linksSaid();
    const components = componentsOf(this.siteIds(), said, (site) => this.isUp(this.sites.get(site), moment)) as Status['components'];
    const conferences = this.conferences(components, moment);
    const seen = {
      at: moment.now,
      configurationVersion: this.estate?.revision ?? null,
      sites: this.siteIds().map((id) => this.siteStatus(id, moment)),
      conferences,
      links: withTraffic(said, conferences),
      components,
    };
    const offsets = new Map([...this.sites].map(([id, { clock }]) => [id, clock.offsetMs(moment.monotonic)]));
    const reports = [...this.sites.values()].flatMap(({ report }) => report ?? []);
    const conditions = [...conditionsIn(seen, offsets, reports), ...givenUpIn([...this.givenUp.values()])];
    const alarms = [...this.alarms.update(conditions, moment)];
    return {
      ...seen,
      sites: seen.sites.map((site) => ({ ...site, alarms: alarms.filter((one) => one.site === site.site || one.peer === site.site) })),
      alarms,
    };
  }

  /** Enrolled ones first, in the order of enrolment. */
  private siteIds(): readonly string[] {
    const enrolled = Object.keys(this.estate?.sites ?? {});
    return [...enrolled, ...[...this.sites.keys()].filter((id) => !enrolled.includes(id)).sort()];
  }

  private isUp(seen: SiteSeen | undefined, { monotonic }: Moment): boolean {
    return seen === undefined ? monotonic - this.since < START_GRACE_MS : monotonic - seen.heardAt < SITE_SILENT_MS;
  }

  private siteStatus(id: string, moment: Moment): Status['sites'][number] {
    const seen = this.sites.get(id);
    const site = id as Status['sites'][number]['site'];
    return {
      site,
      name: this.estate?.sites[id]?.name ?? id,
      up: this.isUp(seen, moment),
      lastHeardAt: seen?.heardAtWall ?? null,
      configurationVersion: seen?.report?.estateRevision ?? null,
      nodes: [...(seen?.nodes.values() ?? [])]
        .filter(({ report }) => this.saidOf(report.node)?.state !== 'removed')
        .map(({ report: { node, cpu, legs, capacity, ...report }, heardAt }) => {
          // While the whole site is silent, its nodes are not each to blame.
          const up = moment.monotonic - heardAt < NODE_SILENT_MS || !this.isUp(seen, moment);
          const draining = report.draining || this.saidOf(node) !== undefined;
          return { node, up, cpu, legs, capacity, draining, drained: draining && this.isDrained(node, up ? legs : 0, seen) };
        })
        .sort((a, b) => (a.node < b.node ? -1 : 1)),
      alarms: [],
    };
  }

  /** Nobody is attached there, and the site's brain, which knows that it is to be emptied, has given nobody a seat there. */
  private isDrained(node: string, legs: number, seen: SiteSeen | undefined): boolean {
    const { estateRevision, conferences } = seen?.report ?? { estateRevision: -1, conferences: [] };
    return (
      legs === 0 &&
      estateRevision >= (this.saidOf(node)?.since ?? 0) &&
      !conferences.some(({ seats }) => seats.some((seat) => seat.node === node))
    );
  }

  private saidOf(node: string): NodeWord | undefined {
    return this.estate && nodeWordOf(this.estate, node);
  }

  private conferences(components: Status['components'], moment: Moment): ConferenceStatus[] {
    const bySite = [...this.sites.values()].flatMap(({ report }) =>
      report ? report.conferences.map((conference) => ({ site: report.site, conference })) : [],
    );
    const ids = [
      ...new Set(bySite.filter(({ conference }) => conference.seats.length > 0).map(({ conference }) => conference.conference)),
    ].sort();
    return ids.map((id) => {
      const parts = bySite.filter(({ conference }) => conference.conference === id);
      const room = parts[0]?.conference.room ?? '';
      const seats = parts.flatMap(({ site, conference }) => conference.seats.map((seat) => ({ ...seat, site, node: seat.node ?? null })));
      const seatsBySite = new Map(parts.map(({ site, conference }) => [site as string, conference.seats.length]));
      const crossings = this.crossings(room, seatsBySite, moment);
      const sides = components
        .map((component) => component.filter((site) => (seatsBySite.get(site) ?? 0) > 0))
        .filter((sites) => sites.length > 0)
        .map((sites) => ({
          sites,
          floor: mostSaid(parts.filter(({ site }) => sites.includes(site)).map(({ conference }) => conference.floor)),
        }));
      const wanted = new Map(
        parts.flatMap(({ site, conference }) => conference.crossings.map((crossing) => [`${site}>${crossing.to}`, crossing] as const)),
      );
      return {
        id,
        room,
        name: this.estate?.rooms[room]?.name ?? room,
        startedAt: this.startedAt(id, moment),
        seats,
        floor: mostSaid(parts.map(({ conference }) => conference.floor)),
        locked: parts.some(({ conference }) => conference.locked),
        sides,
        links: crossings,
        savings: savingsOf(
          seatsBySite,
          crossings.map((open) => ({ ...open, missing: missingFrom(open, wanted.get(`${open.from}>${open.to}`)) })),
          this.siteIds(),
          sides.length > 1,
        ) as ConferenceStatus['savings'],
      };
    });
  }

  /** Every directed pair of sites between which the conference has streams, or would have with one MCU. Media go by the room's name (ADR 0007). */
  private crossings(room: string, seatsBySite: ReadonlyMap<string, number>, { monotonic }: Moment): ConferenceLink[] {
    const links = new Map<string, ConferenceLink>();
    const mcuSite = mcuSiteOf(seatsBySite, this.siteIds());
    const linkBetween = (from: string, to: string): ConferenceLink => {
      const mcuUnits = mcuUnitsBetween(from, to, seatsBySite, mcuSite);
      const none = { from, to, large: 0, small: 0, voices: 0, ...NO_TRAFFIC, units: 0, mcuUnits } as ConferenceLink;
      return links.get(`${from}>${to}`) ?? none;
    };
    for (const from of seatsBySite.keys())
      for (const to of seatsBySite.keys()) {
        const link = linkBetween(from, to);
        if (link.mcuUnits > 0) links.set(`${from}>${to}`, link);
      }
    for (const { report, heardAt } of this.nodesSeen()) {
      if (monotonic - heardAt >= NODE_SILENT_MS) continue;
      for (const pipe of report.pipes) {
        if (pipe.conference !== room || pipe.toSite === report.site) continue;
        const link = linkBetween(report.site, pipe.toSite);
        const large = link.large + pipe.large;
        const small = link.small + pipe.small;
        const rates = sumOf([link, this.rates.of(keyOf(report, pipe), monotonic)]);
        links.set(`${report.site}>${pipe.toSite}`, {
          ...link,
          ...rates,
          large,
          small,
          voices: link.voices + pipe.voices,
          units: unitsOf({ large, small }),
        });
      }
    }
    return [...links.values()].sort((a, b) => (`${a.from}>${a.to}` < `${b.from}>${b.to}` ? -1 : 1));
  }

  /** What sites say of their links, without what crosses them. */
  private linksSaid(): Link[] {
    const links = new Map<string, Link>();
    for (const { report } of this.sites.values()) {
      for (const { site: to, up, rttMs, reason } of report?.links ?? []) {
        if (report)
          links.set(`${report.site}>${to}`, {
            from: report.site,
            to,
            up,
            rttMs: rttMs ?? null,
            ...(reason === undefined ? {} : { reason }),
            ...NO_TRAFFIC,
          });
      }
    }
    return [...links.values()].sort((a, b) => (`${a.from}>${a.to}` < `${b.from}>${b.to}` ? -1 : 1));
  }

  private nodesSeen(): readonly NodeSeen[] {
    return [...this.sites.values()].flatMap(({ nodes }) => [...nodes.values()]);
  }

  private startedAt(conference: string, { now, monotonic }: Moment): number {
    const started = this.started.get(conference) ?? { at: now, lastSeen: monotonic };
    started.lastSeen = monotonic;
    this.started.set(conference, started);
    return started.at;
  }

  private forget({ monotonic }: Moment): void {
    for (const [id, seen] of this.sites) {
      if (monotonic - seen.heardAt > SITE_FORGOTTEN_MS && seen.report) seen.report = { ...seen.report, conferences: [], links: [] };
      for (const [node, { report, heardAt }] of seen.nodes) {
        const leftGently = (report.draining || this.saidOf(node) !== undefined) && monotonic - heardAt > NODE_SILENT_MS;
        if (leftGently || monotonic - heardAt > NODE_FORGOTTEN_MS) seen.nodes.delete(node);
      }
      if (seen.nodes.size === 0 && !seen.report && this.estate && !Object.hasOwn(this.estate.sites, id)) this.sites.delete(id);
    }
    for (const [conference, { lastSeen }] of this.started)
      if (monotonic - lastSeen > CONFERENCE_FORGOTTEN_MS) this.started.delete(conference);
    this.rates.forget(monotonic);
  }
}

const keyOf = ({ node }: NodeReport, { conference, toNode }: Pipe): string => `${node}>${toNode}:${conference}`;

const withTraffic = (links: readonly Link[], conferences: readonly ConferenceStatus[]): Link[] => {
  const crossings = conferences.flatMap((conference) => conference.links);
  return links.map((link) => ({ ...link, ...sumOf([link, ...crossings.filter(({ from, to }) => from === link.from && to === link.to)]) }));
};

interface Layers {
  readonly large: number;
  readonly small: number;
}
/** Never less than none: a stream that is still open although nobody wants it any more stands for no other. */
const missingFrom = (open: Layers, wanted: Layers | undefined): Layers => ({
  large: Math.max(0, (wanted?.large ?? 0) - open.large),
  small: Math.max(0, (wanted?.small ?? 0) - open.small),
});

/** While apart, sites differ about the floor; shown is what most of them say, of equals the first. */
const mostSaid = <T>(values: readonly (T | null)[]): T | null => {
  const count = (value: T | null) => values.filter((other) => other === value).length;
  return values.filter((value) => value !== null).sort((a, b) => count(b) - count(a))[0] ?? null;
};
