// A client of the media node as small as can be, for a real browser: attaches, publishes the fake camera and microphone in
// two layers, and sets up what it is offered. `window.client` is what the spec looks at.
import { Device } from 'mediasoup-client';

const state = { layers: [], speaking: [], closed: [], refused: [], ended: undefined, consumers: new Map() };
let socket;
let lastId = 0;
const waiting = new Map();

const request = (message) =>
  new Promise((resolve, reject) => {
    const id = ++lastId;
    waiting.set(id, { resolve, reject });
    socket.send(JSON.stringify({ v: 1, id, ...message }));
  });

const answered = (message) => {
  const { resolve, reject } = waiting.get(message.re) ?? {};
  waiting.delete(message.re);
  if (message.type === 'refused') {
    state.refused.push(message);
    reject?.(new Error(message.code));
  } else resolve?.(message);
};

let receive;
const setUp = async (offers) => {
  await Promise.all(
    offers.map(async (offer) => {
      const consumer = await receive.consume({ ...offer, streamId: offer.leg });
      const element = document.createElement(offer.kind === 'video' ? 'video' : 'audio');
      Object.assign(element, { autoplay: true, muted: true, playsInline: true, srcObject: new MediaStream([consumer.track]) });
      document.body.append(element);
      state.consumers.set(offer.id, { offer, consumer, element });
    }),
  );
  await request({ type: 'ready', consumers: offers.map(({ id }) => id) });
};

const heard = (message) => {
  if (message.re !== undefined) return answered(message);
  if (message.type === 'layers') state.layers.push(message);
  if (message.type === 'speaking') state.speaking.push(...message.legs);
  if (message.type === 'closed') for (const id of message.consumers) (state.closed.push(id), state.consumers.delete(id));
  if (message.type === 'consume') void setUp(message.consumers);
  if (message.type === 'ended') state.ended = message.reason;
};

const wire = (transport, which) => {
  transport.on('connect', ({ dtlsParameters }, done, failed) =>
    request({ type: 'connect', transport: which, dtlsParameters }).then(done, failed),
  );
  transport.on('produce', ({ kind, rtpParameters }, done, failed) =>
    request({ type: 'produce', source: kind === 'video' ? 'camera' : 'microphone', kind, rtpParameters }).then(
      ({ producerId }) => done({ id: producerId }),
      failed,
    ),
  );
  return transport;
};

window.client = {
  state,
  attach: async ({ url, leg, token, capabilities, publish }) => {
    socket = new WebSocket(url);
    await new Promise((resolve) => (socket.onopen = resolve));
    socket.onmessage = ({ data }) => heard(JSON.parse(data));
    const device = new Device();
    await device.load({ routerRtpCapabilities: capabilities });
    const attached = await request({ type: 'attach', leg, token, rtpCapabilities: device.recvRtpCapabilities });
    receive = wire(device.createRecvTransport(attached.receive), 'receive');
    const send = wire(device.createSendTransport(attached.send), 'send');
    const receiving = setUp(attached.consumers);
    if (publish) {
      const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 1280, height: 720, frameRate: 15 } });
      await send.produce({
        track: media.getVideoTracks()[0],
        encodings: [
          { scaleResolutionDownBy: 4, maxBitrate: 100_000, scalabilityMode: 'L1T1' },
          { scaleResolutionDownBy: 1, maxBitrate: 1_200_000, scalabilityMode: 'L1T1' },
        ],
        codecOptions: { videoGoogleStartBitrate: 1_000 },
      });
      await send.produce({ track: media.getAudioTracks()[0], codecOptions: { opusDtx: true } });
    }
    await receiving;
  },
  ask: (message) =>
    request(message).then(
      (answer) => answer.type,
      (error) => error.message,
    ),
  sees: () =>
    [...state.consumers.values()]
      .filter(({ offer }) => offer.kind === 'video')
      .map(({ offer, element }) => ({
        leg: offer.leg,
        width: element.videoWidth,
        frames: element.getVideoPlaybackQuality().totalVideoFrames,
      })),
};
