/// <reference lib="dom" />
import { Device } from 'mediasoup-client';

/**
 * The least page that is in a meeting: it watches every camera there is and sends its own, and it too has its connection, its
 * device and its camera before the click. Marks are called as the meeting client calls its own.
 */
const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/page`);
// What an answer holds is mediasoup's own, as in page-line.mjs.
/** @type {Map<number, (answer: any) => void>} */
const waiting = new Map();
let last = 0;
const device = new Device();
const camera = navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 1280, height: 720 } });

/** @param {object} message @returns {Promise<any>} */
const ask = (message) =>
  new Promise((resolve, reject) => {
    const id = ++last;
    waiting.set(id, (answer) => (answer.error ? reject(new Error(answer.error)) : resolve(answer)));
    socket.send(JSON.stringify({ id, ...message }));
  });

socket.onmessage = async (/** @type {MessageEvent} */ event) => {
  const message = JSON.parse(String(event.data));
  if (message.re !== undefined) return waiting.get(message.re)?.(message);
  await device.load({ routerRtpCapabilities: message.rtpCapabilities });
  await camera;
  document.body.dataset['state'] = 'ready';
};

const join = async () => {
  performance.mark('isthmus:click');
  const { send, receive, consumers } = await ask({ type: 'enter', rtpCapabilities: device.recvRtpCapabilities });
  const receiving = device.createRecvTransport(receive);
  const sending = device.createSendTransport(send);
  for (const transport of [receiving, sending]) {
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      ask({ type: 'connect', transport: transport.id, dtlsParameters }).then(() => done(), failed);
    });
  }
  sending.on('produce', ({ kind, rtpParameters }, done, failed) => {
    ask({ type: 'produce', transport: send.id, kind, rtpParameters }).then(({ producerId }) => done({ id: producerId }), failed);
  });
  await Promise.all(consumers.map((/** @type {any} */ offer) => receiving.consume(offer).then(({ track }) => show(track))));
  const stream = await camera;
  const [sound] = stream.getAudioTracks();
  const [picture] = stream.getVideoTracks();
  if (sound) await sending.produce({ track: sound });
  if (picture) {
    const encodings = [
      { scaleResolutionDownBy: 4, maxBitrate: 100_000, scalabilityMode: 'L1T1' },
      { scaleResolutionDownBy: 1, maxBitrate: 1_500_000, scalabilityMode: 'L1T1' },
    ];
    await sending.produce({ track: picture, encodings, codecOptions: { videoGoogleStartBitrate: 1_000 } });
  }
};

/** @param {MediaStreamTrack} track */
const show = (track) => {
  const video = document.createElement('video');
  Object.assign(video, { autoplay: true, muted: true, playsInline: true, srcObject: new MediaStream([track]) });
  video.requestVideoFrameCallback(() => performance.mark('isthmus:first-frame'));
  document.body.append(video);
};

document.querySelector('button')?.addEventListener('click', () => {
  join().catch((error) => (document.body.dataset['state'] = String(error)));
});
