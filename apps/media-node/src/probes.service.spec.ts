import { createSocket } from 'node:dgram';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { SiteId } from '@isthmus/kernel';
import type { NodeId } from '@isthmus/placement';
import { Probes, type ProbesMessage } from './probes.js';

/** Two nodes of two sites: probes go by UDP over loopback, each direction of which can be led astray; words by a link of the spec. */
const PATIENT = { timeout: 60_000, interval: 50 };
/** Nobody listens there. */
const NOWHERE = '127.0.0.99';
const PORTS = [31_900, 31_901, 31_902, 31_903];
const stranger = createSocket('udp4');
afterAll(() => stranger.close());

class End {
  probes!: Probes;
  peer!: End;
  cut = false;
  /** Whom it is linked with, as it last asked. */
  linked: readonly string[] = [];
  changes = 0;
  /** False: what it says is lost. */
  online = true;
  /** Both ends have said what they need of each other. */
  said = false;

  constructor(
    readonly site: string,
    readonly host: string,
  ) {}

  get address() {
    return { site: this.site as SiteId, node: `${this.site}-1` as NodeId, url: `wss://${this.host}:1` };
  }

  async open(): Promise<void> {
    this.probes = await Probes.open({
      site: this.site as SiteId,
      plain: { ip: this.host, portMin: Math.min(...PORTS), portMax: Math.max(...PORTS) },
      translate: (host) => (this.cut ? NOWHERE : host),
      link: (all) => (this.linked = all.map(({ node }) => node)),
      send: (_to, message: ProbesMessage) => {
        this.said ||= message.sent !== undefined;
        if (this.online) this.peer.probes.message(this.address.node, structuredClone(message));
      },
      changed: () => (this.changes += 1),
    });
  }

  get hears(): readonly boolean[] {
    return this.probes.report().map(({ media }) => media);
  }
}

const [nyc, lon] = [new End('nyc', '127.0.0.31'), new End('lon', '127.0.0.32')];
const meet = async () => {
  [nyc.peer, lon.peer] = [lon, nyc];
  for (const end of [nyc, lon]) {
    Object.assign(end, { cut: false, online: true, said: false, changes: 0 });
    await end.open();
    end.probes.want([end.peer.address]);
  }
  for (const end of [nyc, lon]) end.probes.linkUp(end.peer.address.node);
};
afterEach(() => [nyc, lon].forEach(({ probes }) => probes.close()));

describe('media probes between two nodes', { timeout: 120_000 }, () => {
  it('find the one direction in which packets are lost, and that they come again, with nothing else to carry', async () => {
    await meet();
    nyc.cut = true;
    // Packets without the token that was given out are nobody's.
    const forged = Buffer.concat([Buffer.from([0, 0x49, 0x53, 0x50]), Buffer.alloc(16, 7), Buffer.from([0, 0, 255, 255])]);
    const flood = setInterval(() => PORTS.forEach((port) => stranger.send(forged, port, lon.host)), 50);
    await expect.poll(() => [nyc.hears, lon.hears], PATIENT).toEqual([[true], [false]]);
    clearInterval(flood);
    expect([nyc.changes, lon.changes]).toEqual([0, 1]);

    // Their pipes are let go of because of it; both keep the link, and probe on.
    for (const end of [nyc, lon]) end.probes.want([]);
    expect([nyc.linked, lon.linked]).toEqual([['lon-1'], ['nyc-1']]);
    nyc.cut = false;
    await expect.poll(() => [nyc.hears, lon.hears, nyc.linked, lon.linked], PATIENT).toEqual([[], [], [], []]);
    expect([nyc.changes, lon.changes]).toEqual([0, 2]);
  });

  it('take received media for probes, and say nothing of a link that is silent altogether', async () => {
    await meet();
    await expect.poll(() => nyc.said && lon.said, PATIENT).toBe(true);
    // Neither words nor probes: a split, which others notice.
    for (const end of [nyc, lon]) [end.cut, end.online] = [true, false];
    await new Promise((resolve) => setTimeout(resolve, 5_500));
    expect([nyc.hears, lon.hears, nyc.changes, lon.changes]).toEqual([[true], [true], 0, 0]);

    let bytes = 0;
    const traffic = () => [{ toNode: 'nyc-1', received: { videoBytes: (bytes += 1_000), audioBytes: 0, rtcpBytes: 0 } }] as never;
    const receiving = setInterval(() => lon.probes.pipes(traffic()), 200);
    for (const end of [nyc, lon]) end.online = true;
    try {
      await expect.poll(() => nyc.hears, PATIENT).toEqual([false]);
      expect(lon.hears).toEqual([true]);
    } finally {
      clearInterval(receiving);
    }
  });
});
