import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as mediasoup from 'mediasoup';
import type {
  Consumer,
  DtlsParameters,
  Producer,
  Router,
  RtpCapabilities,
  RtpParameters,
  WebRtcServer,
  WebRtcTransport,
} from 'mediasoup/types';
import { WebSocketServer, type WebSocket } from 'ws';
import { stageOf, type LegId } from '@isthmus/conference';
import {
  clientToGateway,
  clientToMedia,
  type ClientToMedia,
  type ConsumerOffer,
  type MeetingView,
  type TransportOffer,
} from '@isthmus/protocol';

/**
 * The least meeting that speaks the two client protocols over a real mediasoup: one node, one room, and a floor that the
 * spec moves. For the specs of this library only, which must not depend on any service.
 */
class Member {
  readonly leg: LegId;
  gateway: WebSocket;
  media: WebSocket | null = null;
  send: WebRtcTransport | null = null;
  receive: WebRtcTransport | null = null;
  capabilities: RtpCapabilities = {};
  readonly producers = new Map<string, Producer>();
  /** By producer. */
  readonly consumers = new Map<string, { consumer: Consumer; leg: LegId; ready: boolean }>();
  layers = { large: false, small: false };
  muted = false;

  constructor(
    n: number,
    readonly name: string,
    gateway: WebSocket,
  ) {
    this.leg = `here-${n}` as LegId;
    this.gateway = gateway;
  }
}

export class SpecMeeting {
  private readonly members = new Map<LegId, Member>();
  private byRecency: LegId[] = [];
  private revision = 0;
  private count = 0;
  readonly acts: unknown[] = [];
  readonly rtpStats = async (leg: LegId) => this.members.get(leg)?.producers.get('camera')?.getStats();
  url = '';

  private constructor(
    private readonly router: Router,
    private readonly server: WebRtcServer,
    private readonly stop: () => void,
  ) {}

  static async open(): Promise<SpecMeeting> {
    const worker = await mediasoup.createWorker({ logLevel: 'warn' });
    const server = await worker.createWebRtcServer({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] });
    const router = await worker.createRouter({
      mediaCodecs: [
        { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
        { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
      ],
    });
    const http = createServer();
    const sockets = new WebSocketServer({ server: http });
    const meeting = new SpecMeeting(router, server, () => {
      for (const client of sockets.clients) client.terminate();
      http.close();
      worker.close();
    });
    sockets.on('connection', (socket, request) => (request.url === '/media' ? meeting.mediaLine(socket) : meeting.gatewayLine(socket)));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    meeting.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    return meeting;
  }

  /** mediasoup does not take up a switch again that came before the new layer's clock was known (ADR 0006): ask once more. */
  private readonly poking = setInterval(() => void this.poke(), 500);

  close(): void {
    clearInterval(this.poking);
    this.stop();
  }

  /** `leg` speaks: everybody's stage changes. */
  async floor(leg: LegId): Promise<void> {
    this.byRecency = [leg, ...this.byRecency.filter((other) => other !== leg)];
    await this.settle();
  }

  /** Cuts the connections of a member, as a failing network does. */
  cut(leg: LegId, what: 'gateway' | 'media'): void {
    this.members.get(leg)?.[what]?.terminate();
  }

  private gatewayLine(socket: WebSocket): void {
    socket.send(JSON.stringify({ type: 'welcome', v: 1, site: 'here', siteName: 'Here', rtpCapabilities: this.router.rtpCapabilities }));
    let member: Member | undefined;
    socket.on('message', (data: Buffer) => {
      const message = clientToGateway.parse(JSON.parse(data.toString()));
      const answer = (type: string, more: object = {}) => socket.send(JSON.stringify({ type, re: message.id, ...more }));
      if (message.type === 'join') {
        if (message.alias !== 'spec') return answer('refused', { code: 'room.unknown', message: 'No such room.' });
        member = [...this.members.values()].find(({ leg }) => leg === message.resume) ?? new Member(++this.count, message.name, socket);
        member.gateway = socket;
        this.members.set(member.leg, member);
        if (!this.byRecency.includes(member.leg)) this.byRecency.push(member.leg);
        answer('joined', {
          leg: member.leg,
          conference: 'spec',
          room: 'Spec',
          role: 'guest',
          resume: member.leg,
          media: { url: this.url.replace('http', 'ws') + '/media', token: 'token' },
          view: this.viewOf(member),
        });
        void this.settle();
        return;
      }
      if (message.type === 'act') {
        this.acts.push(message.act);
        if (member && (message.act.type === 'mute' || message.act.type === 'unmute')) member.muted = message.act.type === 'mute';
        answer('ok');
        void this.settle();
      }
      if (message.type === 'leave') {
        answer('ok');
        if (member) this.remove(member);
      }
    });
  }

  private remove(member: Member): void {
    this.members.delete(member.leg);
    this.byRecency = this.byRecency.filter((leg) => leg !== member.leg);
    member.send?.close();
    member.receive?.close();
    void this.settle();
  }

  private viewOf(viewer: Member): MeetingView {
    return {
      revision: ++this.revision,
      roster: [...this.members.values()].map(({ leg, name, muted }) => ({
        leg,
        name,
        site: 'here',
        role: 'guest',
        muted: muted ? 'self' : false,
        cameraOff: false,
        inReach: true,
        you: leg === viewer.leg,
      })) as unknown as MeetingView['roster'],
      stage: stageOf(viewer.leg, this.byRecency),
      floor: this.byRecency[0] ?? null,
      locked: false,
      held: false,
      waiting: [],
    };
  }

  private mediaLine(socket: WebSocket): void {
    let member: Member | undefined;
    // One after the other, as the real node does.
    let turn = Promise.resolve();
    socket.on('message', (data: Buffer) => {
      turn = turn.then(async () => {
        const message = clientToMedia.parse(JSON.parse(data.toString()));
        const answer = (type: string, more: object = {}) => socket.send(JSON.stringify({ type, re: message.id, ...more }));
        if (message.type === 'attach') {
          member = this.members.get(message.leg)!;
          await this.attach(member, socket, message.rtpCapabilities);
          answer('attached', { send: offerOf(member.send!), receive: offerOf(member.receive!), consumers: await this.consumersOf(member) });
        } else if (member) answer(...(await this.handle(member, message)));
      });
    });
  }

  private async attach(member: Member, socket: WebSocket, capabilities: object): Promise<void> {
    member.send?.close();
    member.receive?.close();
    member.producers.clear();
    member.consumers.clear();
    member.media = socket;
    member.capabilities = capabilities;
    member.send = await this.router.createWebRtcTransport({ webRtcServer: this.server });
    member.receive = await this.router.createWebRtcTransport({ webRtcServer: this.server });
  }

  private async handle(member: Member, message: Exclude<ClientToMedia, { type: 'attach' }>): Promise<[string, object?]> {
    switch (message.type) {
      case 'connect':
        await member[message.transport]!.connect({ dtlsParameters: message.dtlsParameters as unknown as DtlsParameters });
        return ['ok'];
      case 'produce': {
        const producer = await member.send!.produce({
          kind: message.kind,
          rtpParameters: message.rtpParameters as unknown as RtpParameters,
        });
        member.producers.set(message.source, producer);
        void this.settle();
        return ['produced', { producerId: producer.id }];
      }
      case 'ready':
        for (const entry of member.consumers.values()) if (message.consumers.includes(entry.consumer.id)) entry.ready = true;
        void this.settle();
        return ['ok'];
      case 'pause':
      case 'resume':
        await member.producers.get(message.source)?.[message.type]();
        return ['ok'];
      case 'restart-ice':
        return ['restarted', { iceParameters: await member[message.transport]!.restartIce() }];
    }
  }

  private async consumersOf(viewer: Member): Promise<ConsumerOffer[]> {
    const offers: ConsumerOffer[] = [];
    for (const other of this.members.values()) {
      if (other === viewer || !viewer.receive || viewer.receive.closed) continue;
      for (const [source, producer] of other.producers) {
        if (viewer.consumers.has(producer.id) || producer.closed) continue;
        const consumer = await viewer.receive.consume({ producerId: producer.id, rtpCapabilities: viewer.capabilities, paused: true });
        viewer.consumers.set(producer.id, { consumer, leg: other.leg, ready: false });
        offers.push({
          id: consumer.id,
          producerId: producer.id,
          leg: other.leg,
          source: source as 'camera',
          kind: consumer.kind,
          rtpParameters: consumer.rtpParameters,
        });
      }
    }
    return offers;
  }

  private settling = Promise.resolve();
  /** Makes running media what the stages say, and tells everybody. */
  private settle(): Promise<void> {
    return (this.settling = this.settling.then(() => this.settleNow()).catch(() => {}));
  }

  private async poke(): Promise<void> {
    const consumers = [...this.members.values()].flatMap((member) => [...member.consumers.values()].map(({ consumer }) => consumer));
    for (const consumer of consumers) {
      const { preferredLayers, currentLayers } = consumer;
      if (consumer.closed || consumer.paused || !preferredLayers || !currentLayers) continue;
      const { spatialLayer } = preferredLayers;
      if (currentLayers.spatialLayer === spatialLayer) continue;
      await consumer.setPreferredLayers({ spatialLayer: 1 - spatialLayer }).catch(() => {});
      await consumer.setPreferredLayers({ spatialLayer }).catch(() => {});
    }
  }

  private async settleNow(): Promise<void> {
    const watched = new Map<LegId, { large: boolean; small: boolean }>();
    for (const viewer of this.members.values()) {
      const view = this.viewOf(viewer);
      viewer.gateway.send(JSON.stringify({ type: 'view', view }));
      const consumers = await this.consumersOf(viewer);
      if (consumers.length > 0) viewer.media?.send(JSON.stringify({ type: 'consume', consumers }));
      for (const { consumer, leg, ready } of viewer.consumers.values()) {
        if (!ready || consumer.closed) continue;
        const place = leg === view.stage.main ? 'large' : view.stage.thumbnails.includes(leg) ? 'small' : null;
        if (consumer.kind === 'video') {
          if (place) {
            const wanted = watched.get(leg) ?? { large: false, small: false };
            watched.set(leg, { ...wanted, [place]: true });
            await consumer.setPreferredLayers({ spatialLayer: place === 'large' ? 1 : 0 });
          } else await consumer.pause();
        }
        if (place || consumer.kind === 'audio') await consumer.resume();
      }
    }
    for (const member of this.members.values()) {
      const layers = watched.get(member.leg) ?? { large: false, small: false };
      if (layers.large === member.layers.large && layers.small === member.layers.small) continue;
      member.layers = layers;
      member.media?.send(JSON.stringify({ type: 'layers', ...layers }));
    }
  }
}

const offerOf = ({ id, iceParameters, iceCandidates, dtlsParameters }: WebRtcTransport): TransportOffer =>
  JSON.parse(JSON.stringify({ id, iceParameters, iceCandidates, dtlsParameters })) as TransportOffer;
