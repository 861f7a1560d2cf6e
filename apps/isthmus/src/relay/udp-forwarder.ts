import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { DirectedLink } from './link.js';
import { aliasOf, portsOf } from './relay-plan.js';

/** Bursts of key frames from several speakers must fit while we are not scheduled. */
const BUFFER_BYTES = 1 << 20;

/** The doors of one directed link: one socket per RTP port of the place it leads to. */
type Doors = ReadonlyMap<number, Socket>;

export interface UdpForwarder {
  close(): Promise<void>;
}

/**
 * Forwards RTP on all links. A packet that `from` sends to (alias of `to`, port Q) from its own port P leaves from (alias of
 * `from`, port P) to (`to`, Q); whatever does not come from an RTP port of `from` is nobody's packet and is dropped.
 */
export const startUdpForwarder = async (links: readonly DirectedLink[]): Promise<UdpForwarder> => {
  const doors = new Map<DirectedLink, Doors>();
  const closeAll = async () => {
    const all = [...doors.values()].flatMap((sockets) => [...sockets.values()]);
    doors.clear();
    await Promise.all(all.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  };
  try {
    for (const link of links) doors.set(link, await openDoors(link));
  } catch (error) {
    await closeAll();
    throw error;
  }
  for (const link of links) {
    const back = links.find(({ from, to }) => from === link.to && to === link.from);
    const exits = back && doors.get(back);
    if (exits) for (const [port, door] of doors.get(link)!) connect(link, port, door, exits);
  }
  return { close: closeAll };
};

const connect = (link: DirectedLink, port: number, door: Socket, exits: Doors): void => {
  const host = link.to.host;
  door.on('message', (packet: Buffer, sender: RemoteInfo) => {
    const exit = sender.address === link.from.host ? exits.get(sender.port) : undefined;
    if (!exit) return link.meter.drop();
    link.packet(packet, (arrived) => exit.send(arrived, port, host, ignore));
  });
};

/** UDP promises nothing; a full buffer or a port that is not open yet is a lost packet. */
const ignore = (): void => undefined;

const openDoors = async (link: DirectedLink): Promise<Doors> => {
  const address = aliasOf(link.from, link.to);
  const sockets = new Map<number, Socket>();
  try {
    for (const port of portsOf(link.to)) sockets.set(port, await openDoor(address, port));
  } catch (error) {
    for (const socket of sockets.values()) socket.close();
    throw error;
  }
  return sockets;
};

const openDoor = async (address: string, port: number): Promise<Socket> => {
  // All our addresses are numbers: nothing is to be looked up, and every look-up would cost a turn of the loop.
  const lookup = (host: string, _options: unknown, callback: (error: null, address: string, family: number) => void) =>
    callback(null, host, 4);
  const socket = createSocket({ type: 'udp4', lookup: lookup });
  // With that look-up, binding is done before `bind` returns.
  const listening = once(socket, 'listening');
  socket.bind(port, address);
  await listening;
  socket.on('error', ignore);
  socket.setRecvBufferSize(BUFFER_BYTES);
  socket.setSendBufferSize(BUFFER_BYTES);
  return socket;
};
