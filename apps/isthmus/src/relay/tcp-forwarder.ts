import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { DirectedLink } from './link.js';
import { aliasOf } from './relay-plan.js';
import { openLane } from './tcp-lane.js';

export interface TcpForwarder {
  close(): Promise<void>;
}

/** Forwards the link ports (brain to brain, node to node) on all links. The far side sees the caller's alias. */
export const startTcpForwarder = async (links: readonly DirectedLink[]): Promise<TcpForwarder> => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const closeAll = async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(servers.splice(0).map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  };
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // Whatever goes wrong with a connection ends it, and 'close' follows.
    socket.on('error', () => socket.destroy());
    socket.setNoDelay(true);
    return socket;
  };
  try {
    for (const link of links) {
      const back = links.find(({ from, to }) => from === link.to && to === link.from);
      if (back) for (const port of link.to.tcpPorts) servers.push(await listen(link, back, port, keep));
    }
  } catch (error) {
    await closeAll();
    throw error;
  }
  return { close: closeAll };
};

const listen = async (link: DirectedLink, back: DirectedLink, port: number, keep: (socket: Socket) => Socket): Promise<Server> => {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (caller) => {
    keep(caller);
    callOn(link, back, port, caller, keep);
  });
  server.listen(port, aliasOf(link.from, link.to));
  await once(server, 'listening');
  return server;
};

/** The kernel has greeted the caller already; while the link is cut, that is all the caller gets. */
const callOn = (link: DirectedLink, back: DirectedLink, port: number, caller: Socket, keep: (socket: Socket) => Socket): void => {
  const tryNow = () => {
    if (link.condition.cut || back.condition.cut) return;
    stopWaiting();
    if (caller.destroyed) return;
    const callee = keep(connect({ host: link.to.host, port, localAddress: aliasOf(back.from, back.to), allowHalfOpen: true }));
    openLane(link, caller, callee);
    openLane(back, callee, caller);
  };
  const stopWaiting = () => [link, back].forEach((direction) => direction.off('changed', tryNow));
  [link, back].forEach((direction) => direction.on('changed', tryNow));
  caller.on('close', stopWaiting);
  tryNow();
};
