import { offerOf } from './bare-meeting.mjs';

/**
 * What a bare mediasoup needs to be told by a page that watches every camera and sends its own: `enter`, `connect`, `produce`.
 * All that can be answered at once is, so that nothing but mediasoup and the browser is measured.
 * @param {import('ws').WebSocket} socket
 * @param {import('mediasoup/types').Router} router
 * @param {import('mediasoup/types').WebRtcServer} webRtcServer
 * @param {() => readonly import('mediasoup/types').Producer[]} cameras
 */
export const servePage = (socket, router, webRtcServer, cameras) => {
  const tell = (/** @type {object} */ message) => socket.send(JSON.stringify(message));
  tell({ rtpCapabilities: router.rtpCapabilities });
  /** @type {Map<string, import('mediasoup/types').WebRtcTransport>} */
  const transports = new Map();
  // Shapes inside are mediasoup's own: it checks what it is given.
  const answers = /** @type {Record<string, (message: any) => Promise<object>>} */ ({
    enter: async ({ rtpCapabilities }) => {
      const [send, receive] = await Promise.all([0, 1].map(() => router.createWebRtcTransport({ webRtcServer })));
      if (!send || !receive) throw new Error('There is no transport.');
      for (const transport of [send, receive]) transports.set(transport.id, transport);
      // Nothing can flow before ICE and DTLS are through, so nothing has to be resumed later.
      const consumers = await Promise.all(cameras().map(({ id }) => receive.consume({ producerId: id, rtpCapabilities, paused: false })));
      const offers = consumers.map(({ id, producerId, kind, rtpParameters }) => ({ id, producerId, kind, rtpParameters }));
      return { send: offerOf(send), receive: offerOf(receive), consumers: offers };
    },
    connect: async ({ transport, dtlsParameters }) => {
      await transports.get(transport)?.connect({ dtlsParameters });
      return {};
    },
    produce: async ({ transport, kind, rtpParameters }) => {
      const producer = await transports.get(transport)?.produce({ kind, rtpParameters });
      return { producerId: producer?.id };
    },
  });
  socket.on('message', (data) => {
    const message = JSON.parse(String(data));
    answers[message.type]?.(message).then(
      (answer) => tell({ re: message.id, ...answer }),
      (error) => tell({ re: message.id, error: String(error) }),
    );
  });
  socket.on('close', () => transports.forEach((transport) => transport.close()));
};
