import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { embeddedBus } from '@isthmus/bus-embedded';
import { legIdOf, siteOfLeg, stageOf, type ConferenceId, type ConferenceView, type LegId, type Seat } from '@isthmus/conference';
import type { SiteId } from '@isthmus/kernel';
import { createAuthority, issue, type Authority } from '@isthmus/peers-http';
import { cascade, type NodeDesire, type NodeId } from '@isthmus/placement';
import type { Bus } from '@isthmus/ports';
import { fullMesh } from '@isthmus/reach';
import {
  clientToGateway,
  TOPICS,
  type ClientToGateway,
  type GatewayToClient,
  type MediaEvent,
  type MeetingView,
  type NodeReport,
} from '@isthmus/protocol';
import { acceptJsonSockets, type JsonSocket, type JsonSocketServer, type RunningService } from '@isthmus/service-kit';
import { startMediaNode } from '../start.js';

const CONFERENCE = 'standup' as ConferenceId;
/** Each node of a spec has a few ports of its own; specs run one after the other. */
const FIRST_PORT = 31_800;
const PORTS_PER_NODE = 20;

interface Member {
  readonly leg: LegId;
  readonly name: string;
  readonly site: SiteId;
  readonly node: NodeId;
  readonly socket: JsonSocket<GatewayToClient>;
  cameraOff: boolean;
}

interface Site {
  readonly id: SiteId;
  readonly bus: Bus;
  readonly nodes: NodeId[];
  readonly reports: Map<NodeId, NodeReport>;
  readonly server: Server;
  readonly door: JsonSocketServer;
}

/**
 * A meeting over real media nodes in several sites, with everything around them as simple as can be: one place that knows
 * all seats, says by the real cascade what each node should do, and gives the floor to whoever a node says has spoken.
 */
export class TestMeeting {
  private readonly sites: Site[] = [];
  private readonly services = new Map<NodeId, RunningService>();
  private readonly starts = new Map<NodeId, () => Promise<RunningService>>();
  private readonly members: Member[] = [];
  private byRecency: LegId[] = [];
  private revision = 0;
  readonly events: MediaEvent[] = [];
  /** When each event came, on the monotonic clock, ms. */
  readonly spoke: { readonly leg: LegId; readonly at: number }[] = [];
  /** False: the spec moves the floor itself. */
  followVoices = true;
  /** What the last desires said, by node. */
  readonly desires = new Map<NodeId, NodeDesire>();

  /** Nodes per site: `{ nyc: 1, lon: 2 }`. */
  static async start(shape: Readonly<Record<string, number>>): Promise<TestMeeting> {
    const meeting = new TestMeeting();
    const authority = await createAuthority();
    let port = FIRST_PORT;
    for (const [site, nodes] of Object.entries(shape)) {
      const ports = Array.from({ length: nodes }, (_, n) => port + n * PORTS_PER_NODE);
      port += nodes * PORTS_PER_NODE;
      await meeting.startSite(site as SiteId, authority, ports);
    }
    return meeting;
  }

  gatewayUrl(site: string): string {
    const { port } = this.site(site).server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  report(node: string): NodeReport | undefined {
    return this.sites.flatMap(({ reports }) => reports.get(node as NodeId) ?? [])[0];
  }

  /** From one node to another, as the sender counts it. */
  pipe(from: string, to: string): NodeReport['pipes'][number] | undefined {
    return this.report(from)?.pipes.find(({ toNode }) => toNode === to);
  }

  /** Gives somebody the floor. */
  async floor(leg: LegId): Promise<void> {
    this.byRecency = [leg, ...this.byRecency.filter((other) => other !== leg)];
    await this.settle();
  }

  /** Ends a node as a crash would, for its peers and clients, and starts it anew at the same addresses. */
  async restartNode(node: string): Promise<void> {
    const again = this.starts.get(node as NodeId);
    await this.services.get(node as NodeId)?.close();
    if (again) this.services.set(node as NodeId, await again());
    await this.settle();
  }

  async close(): Promise<void> {
    await Promise.all([...this.services.values()].map((service) => service.close()));
    await Promise.all(this.sites.map(({ door }) => door.close()));
    for (const { server, bus } of this.sites) {
      server.close();
      await bus.close();
    }
  }

  private site(id: string): Site {
    const site = this.sites.find((each) => each.id === id);
    if (!site) throw new Error(`The spec has no site ${id}.`);
    return site;
  }

  private async startSite(id: SiteId, authority: Authority, ports: readonly number[]): Promise<void> {
    const bus = embeddedBus();
    const credentials = await issue(authority, { identity: { kind: 'site', site: id } });
    const reports = new Map<NodeId, NodeReport>();
    await bus.subscribe(TOPICS.nodes, { group: 'spec' }, async ({ value }) => {
      const report = value as NodeReport;
      reports.set(report.node, report);
    });
    await bus.subscribe(TOPICS.mediaEvents, { group: 'spec' }, async ({ value }) => this.happened(value as MediaEvent));
    const nodes = ports.map((_, n) => `${id}-${n}` as NodeId);
    for (const [n, port] of ports.entries()) {
      const node = nodes[n] as NodeId;
      const start = () =>
        startMediaNode({
          site: id,
          node,
          listen: { host: '127.0.0.1', port: port + 1 },
          link: { host: '127.0.0.1', port: port + 2 },
          credentials: () => credentials,
          webRtc: { ip: '127.0.0.1', port },
          plain: { ip: '127.0.0.1', portMin: port + 3, portMax: port + PORTS_PER_NODE - 1 },
          capacity: 50,
          bus,
        });
      this.starts.set(node, start);
      this.services.set(node, await start());
    }
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const door = acceptJsonSockets<ClientToGateway, GatewayToClient>(server, {
      service: 'spec',
      path: '/ws',
      schema: clientToGateway,
      connected: (socket) => this.converse(this.site(id), socket),
    });
    this.sites.push({ id, bus, nodes, reports, server, door });
  }

  private converse(site: Site, socket: JsonSocket<GatewayToClient>) {
    let member: Member | undefined;
    socket.send({ type: 'welcome', v: 1, site: site.id, siteName: site.id, rtpCapabilities: {} });
    return {
      message: async (message: ClientToGateway) => {
        if (message.type === 'join') {
          member = await this.join(site, socket, message);
        } else {
          socket.send({ type: 'ok', re: message.id });
          if (message.type === 'act' && member) member.cameraOff = message.act.type === 'camera-off';
          if (message.type === 'leave' && member) this.leave(member);
          await this.settle();
        }
      },
    };
  }

  private async join(
    site: Site,
    socket: JsonSocket<GatewayToClient>,
    message: Extract<ClientToGateway, { type: 'join' }>,
  ): Promise<Member> {
    const here = this.members.filter((each) => each.site === site.id).length;
    const node = site.nodes[here % site.nodes.length] as NodeId;
    const leg = legIdOf(site.id, `${this.members.length}`);
    const member: Member = { leg, name: message.name, site: site.id, node, socket, cameraOff: message.cameraOff };
    this.members.push(member);
    this.byRecency.push(leg);
    const url = site.reports.get(node)?.clientUrl ?? '';
    const media = { url, token: leg };
    socket.send({
      type: 'joined',
      re: message.id,
      leg,
      conference: CONFERENCE,
      room: 'standup',
      role: 'guest',
      resume: leg,
      media,
      view: this.viewFor(member),
    });
    await this.settle();
    return member;
  }

  private leave(member: Member): void {
    this.members.splice(this.members.indexOf(member), 1);
    this.byRecency = this.byRecency.filter((leg) => leg !== member.leg);
  }

  private async happened(event: MediaEvent): Promise<void> {
    this.events.push(event);
    if (event.type !== 'Spoke') return;
    this.spoke.push({ leg: event.leg, at: performance.now() });
    if (this.followVoices && this.byRecency[0] !== event.leg) await this.floor(event.leg);
  }

  /** Says to every node what it should do now, and to every client what it should see. */
  private async settle(): Promise<void> {
    this.revision++;
    for (const site of this.sites) {
      const desires = this.desiresOf(site);
      for (const desire of desires) {
        this.desires.set(desire.node, desire);
        await site.bus.publish({ topic: TOPICS.desires, key: desire.node, value: desire });
      }
    }
    for (const member of this.members) member.socket.send({ type: 'view', view: this.viewFor(member) });
  }

  private desiresOf(site: Site): readonly NodeDesire[] {
    const placed = new Map(
      this.members
        .filter((member) => member.site === site.id)
        .map(({ leg, node }) => [leg, { node, tokenHash: createHash('sha256').update(leg).digest('hex') }]),
    );
    const linkUrl = (of: Site, node: NodeId) => of.reports.get(node)?.linkUrl ?? '';
    const first = (of: Site) => of.nodes[0] as NodeId;
    return cascade({
      view: this.viewFrom(site.id),
      mediaId: CONFERENCE,
      placed,
      intermediary: first(site),
      here: new Map(site.nodes.map((node) => [node, linkUrl(site, node)])),
      elsewhere: new Map(
        this.sites.filter((other) => other !== site).map((other) => [other.id, { node: first(other), url: linkUrl(other, first(other)) }]),
      ),
      network: fullMesh(this.sites.map(({ id }) => id)),
    });
  }

  private viewFrom(site: SiteId): ConferenceView {
    const seats = this.members.map(({ leg, name, cameraOff }): Seat => ({
      leg,
      person: leg as unknown as Seat['person'],
      name,
      site: siteOfLeg(leg),
      role: 'guest',
      muted: false,
      cameraOff,
      held: false,
      inReach: true,
    }));
    const version = { epoch: 1, revision: this.revision };
    return {
      conference: CONFERENCE,
      room: 'standup',
      site,
      version,
      started: true,
      locked: false,
      seats,
      waiting: [],
      byRecency: this.byRecency,
      floor: this.byRecency[0] ?? null,
    };
  }

  private viewFor(viewer: Member): MeetingView {
    return {
      revision: this.revision,
      roster: this.members.map(({ leg, name, site, cameraOff }) => ({
        leg,
        name,
        site,
        role: 'guest',
        muted: false,
        cameraOff,
        inReach: true,
        you: leg === viewer.leg,
      })),
      stage: stageOf(viewer.leg, this.byRecency),
      floor: this.byRecency[0] ?? null,
      locked: false,
      held: false,
      waiting: [],
    };
  }
}
