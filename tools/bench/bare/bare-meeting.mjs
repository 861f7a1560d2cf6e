/** @typedef {import('mediasoup/types').Router} Router */
/** @typedef {import('mediasoup/types').WebRtcTransport} WebRtcTransport */
/** @typedef {import('mediasoup/types').Producer} Producer */
/** @typedef {import('mediasoup/types').Consumer} Consumer */
/** @typedef {import('ws').WebSocket} WebSocket */
/** @typedef {import('./bare-sfu.mjs').Look} Look */
/**
 * @typedef {{ leg: string, name: string, media: WebSocket | undefined, send: WebRtcTransport | undefined, receive: WebRtcTransport | undefined,
 *   capabilities: import('mediasoup/types').RtpCapabilities, producers: Map<string, Producer>, consumers: Map<string, { consumer: Consumer, layer: number | undefined }>,
 *   layers: string }} Member
 */

/**
 * The least that lets bots send to and receive from a router: the two client protocols without any of the rules behind them.
 * Everybody who looks at somebody is told to us; everybody hears everybody.
 */
export class BareMeeting {
  /** @type {Map<string, Member>} */
  #members = new Map();
  /** @type {readonly Look[]} */
  #looks = [];
  /** One change after the other. @type {Promise<unknown>} */
  #turn = Promise.resolve();
  #count = 0;

  /**
   * @param {Router} router
   * @param {import('mediasoup/types').WebRtcServer} webRtcServer
   * @param {import('mediasoup/types').ActiveSpeakerObserver} observer
   * @param {string} url
   */
  constructor(router, webRtcServer, observer, url) {
    this.router = router;
    this.webRtcServer = webRtcServer;
    this.observer = observer;
    this.mediaUrl = `${url.replace('http', 'ws')}/media`;
  }

  /** Cameras that send now. @returns {Producer[]} */
  cameras() {
    return [...this.#members.values()].flatMap(({ producers }) => producers.get('camera') ?? []);
  }

  /** @param {readonly Look[]} looks who looks at whom from now on */
  show(looks) {
    this.#looks = looks;
    this.#settle();
  }

  /** @param {WebSocket} socket */
  gatewayLine(socket) {
    const tell = (/** @type {object} */ message) => socket.send(JSON.stringify(message));
    tell({ type: 'welcome', v: 1, site: 'bare', siteName: 'Bare', rtpCapabilities: this.router.rtpCapabilities });
    /** @type {Member | undefined} */
    let member;
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      if (message.type === 'join') {
        const leg = `bare-${++this.#count}`;
        member = {
          ...{ leg, name: message.name, media: undefined, send: undefined, receive: undefined, capabilities: {}, layers: '' },
          producers: new Map(),
          consumers: new Map(),
        };
        this.#members.set(leg, member);
        const roster = [
          { leg, name: message.name, site: 'bare', role: 'guest', muted: false, cameraOff: message.cameraOff, inReach: true, you: true },
        ];
        const view = { revision: 1, roster, stage: { main: null, thumbnails: [] }, floor: null, locked: false, held: false, waiting: [] };
        const media = { url: this.mediaUrl, token: 'bare' };
        tell({ type: 'joined', re: message.id, leg, conference: 'bare', room: 'Bare', role: 'guest', resume: leg, media, view });
      } else tell({ type: 'ok', re: message.id });
    });
    socket.on('close', () => {
      if (!member) return;
      this.#members.delete(member.leg);
      member.send?.close();
      member.receive?.close();
    });
  }

  /** @param {WebSocket} socket */
  mediaLine(socket) {
    /** @type {Member | undefined} */
    let member;
    socket.on('message', (data) => {
      this.#inTurn(async () => {
        const message = JSON.parse(String(data));
        if (message.type === 'attach') member = this.#members.get(message.leg);
        if (!member) return;
        const answer = await this.#answer(member, message, socket);
        socket.send(JSON.stringify({ re: message.id, ...answer }));
        if (message.type === 'produce') this.#settle();
      });
    });
  }

  /** @param {Member} member @param {any} message as the client protocol has it: any, because its shapes are mediasoup's own @param {WebSocket} socket */
  async #answer(member, message, socket) {
    switch (message.type) {
      case 'attach': {
        const [send, receive] = await Promise.all([this.#transport(), this.#transport()]);
        Object.assign(member, { send, receive, media: socket, capabilities: message.rtpCapabilities });
        return { type: 'attached', send: offerOf(send), receive: offerOf(receive), consumers: [] };
      }
      case 'connect':
        await member[/** @type {'send' | 'receive'} */ (message.transport)]?.connect({ dtlsParameters: message.dtlsParameters });
        return { type: 'ok' };
      case 'produce': {
        const producer = await member.send?.produce({
          kind: message.kind,
          rtpParameters: message.rtpParameters,
          appData: { leg: member.leg },
        });
        if (!producer) throw new Error('There is no transport to send by.');
        member.producers.set(message.source, producer);
        if (message.kind === 'audio') await this.observer.addProducer({ producerId: producer.id });
        return { type: 'produced', producerId: producer.id };
      }
      case 'ready': {
        const ready = [...member.consumers.values()].filter(({ consumer }) => message.consumers.includes(consumer.id));
        await Promise.all(ready.map(({ consumer }) => consumer.resume()));
        return { type: 'ok' };
      }
      default:
        return { type: 'ok' };
    }
  }

  #transport() {
    return this.router.createWebRtcTransport({ webRtcServer: this.webRtcServer });
  }

  /** @param {() => Promise<unknown>} work */
  #inTurn(work) {
    this.#turn = this.#turn.then(work).catch((error) => process.stderr.write(`bare mediasoup: ${String(error)}\n`));
  }

  #settle() {
    this.#inTurn(() => Promise.all([...this.#members.values()].map((member) => this.#serve(member))).then(() => this.#tellLayers()));
  }

  /** @param {Member} viewer */
  async #serve(viewer) {
    if (!viewer.receive || viewer.receive.closed) return;
    const looks = this.#looks.filter((look) => look.viewer === viewer.leg);
    const wanted = [
      ...looks.map(({ leg, layer, key = '' }) => ({ leg, source: 'camera', key: `${leg}${key}`, layer: layer === 'large' ? 1 : 0 })),
      ...(looks.length > 0 ? [...this.#members.keys()].filter((leg) => leg !== viewer.leg) : []).map((leg) => ({
        ...{ leg, source: 'microphone', key: `${leg} microphone`, layer: undefined },
      })),
    ];
    const offers = [];
    for (const { leg, source, key, layer } of wanted) {
      const producer = this.#members.get(leg)?.producers.get(source);
      if (!producer || producer.closed) continue;
      const known = viewer.consumers.get(key);
      if (known) {
        if (layer !== undefined && known.layer !== layer) await known.consumer.setPreferredLayers({ spatialLayer: layer });
        known.layer = layer;
        continue;
      }
      const consumer = await viewer.receive.consume({
        producerId: producer.id,
        rtpCapabilities: viewer.capabilities,
        paused: true,
        ...(layer === undefined ? {} : { preferredLayers: { spatialLayer: layer } }),
      });
      viewer.consumers.set(key, { consumer, layer });
      offers.push({ id: consumer.id, producerId: producer.id, leg, source, kind: consumer.kind, rtpParameters: consumer.rtpParameters });
    }
    if (offers.length > 0) viewer.media?.send(JSON.stringify({ type: 'consume', consumers: offers }));
  }

  /** A publisher stops a layer that nobody watches, here too. */
  #tellLayers() {
    for (const member of this.#members.values()) {
      const watched = this.#looks.filter(({ leg }) => leg === member.leg).map(({ layer }) => layer);
      const layers = JSON.stringify({ type: 'layers', large: watched.includes('large'), small: watched.includes('small') });
      if (layers === member.layers || !member.media) continue;
      member.layers = layers;
      member.media.send(layers);
    }
  }
}

/** @param {WebRtcTransport} transport */
export const offerOf = ({ id, iceParameters, iceCandidates, dtlsParameters }) => ({ id, iceParameters, iceCandidates, dtlsParameters });
