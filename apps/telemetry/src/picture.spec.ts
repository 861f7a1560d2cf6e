import { beforeEach, describe, expect, it } from 'vitest';
import type { SiteId } from '@isthmus/kernel';
import {
  nodeReport,
  siteReport,
  status as statusShape,
  telemetryBatch,
  type SiteReport,
  type Status,
  type TelemetryBatch,
} from '@isthmus/protocol';
import { Picture } from './picture.js';

const SITES = ['nyc', 'lon', 'cpt'] as const;
type SiteName = (typeof SITES)[number];
const NAMES = { nyc: 'New York', lon: 'London', cpt: 'Cape Town' };
const SEATS = { nyc: ['ana', 'al', 'amy'], lon: ['bo', 'bea', 'ben'], cpt: ['cy', 'cat'] };
/** HD and thumbnails on each link of the white paper's figure 4, as the rule has them (S20 to S23). */
const STREAMS: Record<string, readonly [large: number, small: number]> = {
  'nyc>lon': [1, 2],
  'lon>nyc': [1, 3],
  'nyc>cpt': [1, 2],
  'cpt>nyc': [0, 2],
  'lon>cpt': [0, 3],
  'cpt>lon': [0, 2],
};
const HD_BYTES = 62_500; // per second: 500 kbit/s
const START = 1_800_000_000_000;

/** Three sites that report once a second, as their telemetry does, on one clock. */
class World {
  readonly picture = new Picture({ now: START, monotonic: 0 });
  second = 0;
  revision = 6;
  readonly silent = new Set<string>();
  readonly deadNodes = new Set<string>();
  readonly cut = new Set<string>();
  /** Streams that have not opened yet although the rule wants them, by link. */
  readonly closed = new Set<string>();
  revisions: Partial<Record<SiteName, number>> = {};
  legs: Partial<Record<SiteName, number>> = {};
  offsetsMs: Partial<Record<SiteName, number>> = {};
  empty = false;
  troubles: SiteReport['troubles'];

  constructor() {
    this.know();
  }

  know(): void {
    const sites = Object.fromEntries(SITES.map((site) => [site, { name: NAMES[site] }]));
    this.picture.know({ revision: this.revision, rooms: { r1: { name: 'Board room' } }, sites });
  }

  get moment() {
    return { now: START + this.second * 1000, monotonic: this.second * 1000 };
  }

  tick(seconds = 1): void {
    for (let n = 0; n < seconds; n++) {
      this.second += 1;
      for (const site of SITES) if (!this.silent.has(site)) this.picture.take(this.batch(site), this.moment);
    }
  }

  status(): Status {
    return statusShape.parse(this.picture.status(this.moment));
  }

  batch(site: SiteName): TelemetryBatch {
    const others = SITES.filter((other) => other !== site);
    const at = this.moment.now;
    const report = siteReport.parse({
      site,
      estateRevision: this.revisions[site] ?? this.revision,
      links: others.map((other) =>
        this.isCut(site, other) ? { site: other, up: false, reason: 'no answer for 1.5 s' } : { site: other, up: true, rttMs: 80 },
      ),
      conferences: [
        {
          conference: 'r1_1',
          room: 'r1',
          seats: this.empty ? [] : SEATS[site].map((name) => ({ leg: `${site}-${name}`, name, node: `${site}-1`, muted: false })),
          floor: 'nyc-ana',
          locked: false,
          crossings: others.map((to) => {
            const [large, small] = STREAMS[`${site}>${to}`] ?? [0, 0];
            return this.isCut(site, to) ? { to, large: 0, small: 0 } : { to, large, small };
          }),
        },
      ],
      ...(site === 'nyc' ? { troubles: this.troubles } : {}),
      at,
    });
    const pipes = others.map((other) => {
      const [large, small] = this.closed.has(`${site}>${other}`) ? [0, 0] : (STREAMS[`${site}>${other}`] ?? [0, 0]);
      const videoBytes = this.second * (large * HD_BYTES + small * (HD_BYTES / 10));
      const sent = { videoBytes, audioBytes: this.second * 4_000, rtcpBytes: this.second * 250 };
      return { conference: 'r1', toSite: other, toNode: `${other}-1`, sent, received: sent, large, small, voices: 2 };
    });
    const node = nodeReport.parse({
      node: `${site}-1`,
      site,
      clientUrl: 'ws://x',
      linkUrl: 'wss://x',
      rtpCapabilities: {},
      capacity: 20,
      legs: this.legs[site] ?? SEATS[site].length,
      cpu: 0.25,
      draining: false,
      pipes: this.empty ? [] : pipes,
      at,
    });
    const nodes = this.deadNodes.has(node.node) ? [] : [node];
    return telemetryBatch.parse({
      site,
      run: 'r',
      number: this.second,
      sentAt: at + (this.offsetsMs[site] ?? 0),
      report,
      nodes,
      facts: {},
      dropped: 0,
    });
  }

  private isCut(a: string, b: string): boolean {
    return this.cut.has(`${a}>${b}`);
  }
}

describe('the picture of the running estate', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
    world.tick(6);
  });
  const codes = () => world.status().alarms.map(({ id }) => id);

  it('shows what a site says of facts that it was sent, for as long as it says so', () => {
    world.troubles = [{ code: 'stream_forked', peer: 'lon' as SiteId, message: 'Two stories.' }];
    world.tick();
    expect(world.status().alarms).toMatchObject([
      { id: 'stream_forked:nyc:lon', code: 'stream_forked', level: 'error', message: 'Two stories.', site: 'nyc', peer: 'lon' },
    ]);
    world.troubles = [];
    world.tick();
    expect(codes()).toEqual([]);
  });

  it('has sites by name in the order of enrolment, with their nodes, loads and configuration', () => {
    const { sites, configurationVersion } = world.status();
    expect(sites.map(({ name, up, configurationVersion: version }) => [name, up, version])).toEqual(
      SITES.map((site) => [NAMES[site], true, 6]),
    );
    expect(sites[0]?.nodes).toEqual([{ node: 'nyc-1', up: true, cpu: 0.25, legs: 3, capacity: 20, draining: false, drained: false }]);
    expect(configurationVersion).toBe(6);
    expect(world.status().alarms).toEqual([]);
  });

  it('has a conference across sites once, with everybody in it', () => {
    const { conferences } = world.status();
    expect(conferences).toHaveLength(1);
    expect(conferences[0]).toMatchObject({ id: 'r1_1', name: 'Board room', floor: 'nyc-ana', locked: false, startedAt: START + 6000 });
    expect(conferences[0]?.seats.map(({ name, site }) => `${name}@${site}`)).toEqual(
      SITES.flatMap((site) => SEATS[site].map((name) => `${name}@${site}`)),
    );
    world.tick(3);
    expect(world.status().conferences[0]?.startedAt).toBe(START + 6000);
  });

  it('has what crosses each link in streams, HD-units and kbit/s, beside what one MCU would send there', () => {
    const links = world.status().conferences[0]?.links ?? [];
    expect(links).toHaveLength(6);
    expect(links.find(({ from, to }) => from === 'lon' && to === 'nyc')).toEqual({
      from: 'lon',
      to: 'nyc',
      large: 1,
      small: 3,
      voices: 2,
      videoKbps: 650,
      audioKbps: 32,
      rtcpKbps: 2,
      units: 1.3,
      mcuUnits: 3,
    });
    expect(links.find(({ from, to }) => from === 'cpt' && to === 'lon')).toMatchObject({ units: 0.2, mcuUnits: 0, videoKbps: 100 });
  });

  it('says what that saves: eight people at three sites, 56 % less than one MCU in New York', () => {
    expect(world.status().conferences[0]?.savings).toEqual({
      mcuSite: 'nyc',
      mcuUnits: 10,
      isthmusUnits: 4.4,
      percent: 56,
      nothing: null,
      mcuKbps: 5000,
      isthmusKbps: 2200,
    });
  });

  it('claims no saving by what has only not been opened yet', () => {
    const savings = () => world.status().conferences[0]?.savings;
    for (const link of Object.keys(STREAMS)) world.closed.add(link);
    world.tick();
    expect(savings()).toMatchObject({ percent: null, nothing: 'not-yet' });
    world.closed.delete('cpt>lon');
    world.tick();
    expect(savings()).toMatchObject({ isthmusUnits: 4.4, percent: 56 });
  });

  it('compares a conference that is split with nothing, and says who is on which side', () => {
    world.cut.add('nyc>lon').add('lon>nyc').add('cpt>lon').add('lon>cpt');
    world.tick();
    const { conferences, components } = world.status();
    expect(components).toEqual([['nyc', 'cpt'], ['lon']]);
    expect(conferences[0]?.savings).toMatchObject({ percent: null, nothing: 'apart' });
    expect(conferences[0]?.sides).toEqual([
      { sites: ['nyc', 'cpt'], floor: 'nyc-ana' },
      { sites: ['lon'], floor: 'nyc-ana' },
    ]);
    world.cut.clear();
    world.tick();
    expect(world.status()).toMatchObject({ components: [['nyc', 'lon', 'cpt']], conferences: [{ sides: [{ sites: SITES }] }] });
  });

  it('adds up all conferences on a link, with its round trip', () => {
    expect(world.status().links.find(({ from, to }) => from === 'nyc' && to === 'lon')).toEqual({
      from: 'nyc',
      to: 'lon',
      up: true,
      rttMs: 80,
      videoKbps: 600,
      audioKbps: 32,
      rtcpKbps: 2,
    });
  });

  it('forgets a conference when the last one has left', () => {
    world.empty = true;
    world.tick();
    expect(world.status().conferences).toEqual([]);
  });

  it('raises one alarm for a link that is down for more than two seconds, and clears it when the link is back', () => {
    world.cut.add('nyc>lon').add('lon>nyc');
    world.tick();
    world.status();
    world.tick();
    expect(codes()).toEqual([]);
    world.tick();
    expect(codes()).toEqual(['connectivity_lost:lon:nyc']);
    const { alarms, sites } = world.status();
    expect(alarms[0]).toMatchObject({ code: 'connectivity_lost', level: 'error', raisedAt: START + 7000 });
    expect(alarms[0]?.message).toMatch(
      /^London and New York do not hear each other \(no answer for 1\.5 s\)\. What they exchange goes through/,
    );
    expect(sites.filter((site) => site.alarms.length > 0).map(({ site }) => site)).toEqual(['nyc', 'lon']);
    world.cut.clear();
    world.tick();
    expect(codes()).toEqual([]);
  });

  it('raises it too when only one direction is down, and says when nothing goes around it', () => {
    world.cut.add('nyc>lon').add('cpt>lon');
    for (let n = 0; n < 4; n++) {
      world.tick();
      world.status();
    }
    expect(codes()).toEqual(['connectivity_lost:cpt:lon', 'connectivity_lost:lon:nyc']);
    expect(world.status().alarms[1]?.message).toMatch(/^London and New York cannot reach each other .* Each side's meetings go on/);
  });

  it('calls a site silent that no longer reports, without blaming its nodes, and drops its rates', () => {
    world.silent.add('cpt');
    world.tick(5);
    const { sites, alarms, conferences } = world.status();
    expect(alarms.map(({ id }) => id)).toEqual(['site_silent:cpt']);
    expect(sites.find(({ site }) => site === 'cpt')).toMatchObject({ up: false, nodes: [{ up: true }] });
    expect(conferences[0]?.links.find(({ from }) => from === 'cpt')).toMatchObject({ videoKbps: 0 });
    world.silent.clear();
    world.tick(2);
    expect(codes()).toEqual([]);
  });

  it('calls an enrolled site silent that was never heard, but not before it had time to start', () => {
    const picture = new Picture({ now: START, monotonic: 0 });
    picture.know({ revision: 1, rooms: {}, sites: { lon: { name: 'London' } } });
    expect(picture.status({ now: START, monotonic: 7_000 }).alarms).toEqual([]);
    const { alarms, sites } = picture.status({ now: START, monotonic: 9_000 });
    expect(alarms.map(({ id }) => id)).toEqual(['site_silent:lon']);
    expect(sites[0]).toMatchObject({ up: false, lastHeardAt: null, configurationVersion: null });
  });

  it('says which process is not started again any more, until it runs', () => {
    const picture = new Picture({ now: START, monotonic: 0 });
    picture.know({ revision: 1, rooms: {}, sites: { lon: { name: 'London' } } });
    const told = { part: 'media node lon-1', endings: 6, withinMs: 60_000, site: 'lon' as never, node: 'lon-1' as never };
    picture.supervised({ ...told, state: 'given-up' });
    const { alarms, sites } = picture.status({ now: START, monotonic: 1_000 });
    expect(alarms).toMatchObject([
      { id: 'restarts_exhausted:media node lon-1', code: 'restarts_exhausted', level: 'error', site: 'lon', node: 'lon-1' },
    ]);
    expect(alarms[0]?.message).toMatch(/^Media node lon-1 ended 6 times within 60 s and is not started again\./);
    expect(sites[0]?.alarms).toEqual(alarms);
    picture.supervised({ ...told, state: 'running' });
    expect(picture.status({ now: START, monotonic: 2_000 }).alarms).toEqual([]);
  });

  it('names a node that no longer reports while its site does', () => {
    world.deadNodes.add('lon-1');
    for (let n = 0; n < 7; n++) {
      world.tick();
      world.status();
    }
    expect(codes()).toEqual(['node_silent:lon-1']);
  });

  it('warns at three quarters of a site’s capacity, and says when it is full', () => {
    const raised = () => {
      for (let n = 0; n < 4; n++) {
        world.tick();
        world.status();
      }
      return world.status().alarms.map(({ code, level }) => `${code} ${level}`);
    };
    world.legs = { nyc: 15 };
    expect(raised()).toEqual(['capacity_warning warning']);
    world.legs = { nyc: 18 };
    expect(raised()).toEqual(['capacity_warning error']);
    world.legs = { nyc: 20 };
    expect(raised()).toEqual(['capacity_exhausted error']);
    world.legs = { nyc: 3 };
    expect(raised()).toEqual([]);
  });

  it('says when a site goes by an old configuration for ten seconds, or by one that management has lost', () => {
    world.revisions = { lon: 5, cpt: 9 };
    for (let n = 0; n < 9; n++) {
      world.tick();
      world.status();
    }
    expect(codes()).toEqual([]);
    world.tick(3);
    expect(codes().sort()).toEqual(['configuration_out_of_date:cpt', 'configuration_out_of_date:lon']);
  });

  it('says when a site’s clock is wrong, but not when its reports were only held up', () => {
    world.offsetsMs = { lon: 3_600_000 };
    for (let n = 0; n < 7; n++) {
      world.tick();
      world.status();
    }
    expect(codes()).toEqual(['clock_wrong:lon']);
    world.offsetsMs = {};
    world.tick(16);
    expect(codes()).toEqual([]);
  });

  it('blames no clock for reports that come late, in a bunch or one by one', () => {
    const calm = (seconds: number) => {
      for (let n = 0; n < seconds; n++) {
        world.tick();
        world.status();
        expect(codes()).toEqual([]);
      }
    };
    const late = Array.from({ length: 110 }, (_, n) => ({ ...world.batch('cpt'), sentAt: START - 120_000 + n * 1000 }));
    for (const batch of late) world.picture.take(batch, world.moment);
    calm(7);
    // On a busy machine most are held up for a long time, and a few are not.
    for (let n = 0; n < 60; n++) {
      world.offsetsMs = { cpt: n % 7 === 0 ? -200 : -90_000 };
      calm(1);
    }
    // And one that is behind indeed is found.
    world.offsetsMs = { cpt: -90_000 };
    for (let n = 0; n < 22; n++) {
      world.tick();
      world.status();
    }
    expect(codes()).toEqual(['clock_wrong:cpt']);
  });

  it('drops a site that was removed', () => {
    world.picture.know({ revision: 7, rooms: {}, sites: { nyc: { name: 'New York' }, lon: { name: 'London' } } });
    expect(world.status().sites.map(({ site }) => site)).toEqual(['nyc', 'lon']);
  });
});
