/**
 * Bare mediasoup with the least signalling around it, run by bare-sfu.mjs: bots speak the two client protocols at `/ws` and
 * `/media`, the bare page speaks its own three messages at `/page`.
 */
import { createServer } from 'node:http';
import * as mediasoup from 'mediasoup';
import { build } from 'vite';
import { WebSocketServer } from 'ws';
import { fileURLToPath } from 'node:url';
import { BareMeeting } from './bare-meeting.mjs';
import { servePage } from './page-line.mjs';

const worker = await mediasoup.createWorker({ logLevel: 'error' });
const webRtcServer = await worker.createWebRtcServer({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] });
const router = await worker.createRouter({
  mediaCodecs: [
    { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
    { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
  ],
});
const observer = await router.createActiveSpeakerObserver({ interval: 300 });
observer.on('dominantspeaker', ({ producer }) => process.send?.({ dominant: producer.appData['leg'] }));

/** @type {Promise<string> | undefined} */
let bundle;
const bundled = () => (bundle ??= bundlePage());
const http = createServer((request, response) => {
  if (request.url === '/page.js') {
    bundled().then(
      (code) => response.writeHead(200, { 'content-type': 'text/javascript' }).end(code),
      (error) => response.writeHead(500).end(String(error)),
    );
  } else {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<!doctype html><title>Bare</title><body><button>Join</button><script type="module" src="/page.js"></script></body>');
  }
});
const sockets = new WebSocketServer({ server: http });
await new Promise((resolve) => http.listen(0, '127.0.0.1', () => resolve(undefined)));
const address = http.address();
const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
const meeting = new BareMeeting(router, webRtcServer, observer, url);
sockets.on('connection', (socket, request) => {
  if (request.url === '/page') servePage(socket, router, webRtcServer, () => meeting.cameras());
  else if (request.url === '/media') meeting.mediaLine(socket);
  else meeting.gatewayLine(socket);
});
process.on('message', (told) => meeting.show(/** @type {{ looks: import('./bare-sfu.mjs').Look[] }} */ (told).looks));
const end = () => {
  worker.close();
  process.exit(0);
};
process.once('disconnect', end);
process.once('SIGTERM', end);
process.send?.({ url });

async function bundlePage() {
  const result = await build({
    logLevel: 'error',
    configFile: false,
    root: fileURLToPath(new URL('.', import.meta.url)),
    build: { write: false, target: 'es2022', lib: { entry: fileURLToPath(new URL('page.mjs', import.meta.url)), formats: ['es'] } },
  });
  const [{ output } = { output: [] }] = /** @type {{ output: { code: string }[] }[]} */ (Array.isArray(result) ? result : [result]);
  const [chunk] = output;
  if (!chunk) throw new Error('The bare page came out empty.');
  return chunk.code;
}
