import type { Server as HttpServer } from 'node:http';
import { Refusal } from '@isthmus/kernel';
import { clientToMedia, type ClientToMedia, type MediaToClient } from '@isthmus/protocol';
import { acceptJsonSockets, CLOSE, inStep, type Conversation, type JsonSocket, type JsonSocketServer } from '@isthmus/service-kit';
import type { Holding, MediaNode } from './media-node.js';

type Socket = JsonSocket<MediaToClient>;
/** A client that is set up asks for little; while it sets up a large meeting, it asks for a lot at once. */
const MESSAGES_PER_SECOND = 30;
/** A page may connect while its person is still at the door (the gateway-router's welcome says where), but not stay for ever. */
const ATTACH_WITHIN_MS = 10 * 60_000;

/** Clients attach here, at `/media`: see libs/protocol/src/client-media.ts. */
export const acceptClients = (server: HttpServer, node: MediaNode): JsonSocketServer =>
  acceptJsonSockets<ClientToMedia, MediaToClient>(server, {
    service: 'media-node',
    path: '/media',
    schema: clientToMedia,
    messagesPerSecond: MESSAGES_PER_SECOND,
    // A seat's token opens this door, which only the gateway-router gives out, to pages that it let in. Pages come from other machines.
    origins: 'any',
    connected: (socket) => conversationWith(socket, node),
  });

const conversationWith = (socket: Socket, node: MediaNode): Conversation<ClientToMedia> => {
  let holding: Holding | undefined;
  let leg: Parameters<MediaNode['attach']>[0] | undefined;
  let joining: string | undefined;
  const traced = new Set<string>();
  const idle = setTimeout(() => socket.close(CLOSE.going, 'Nobody attached. Connect again when there is a seat.'), ATTACH_WITHIN_MS);
  idle.unref();

  /** Steps of a join belong to its trace, the first of each kind: a connection lasts for hours, its join for moments. */
  const step = <T>(name: string, attributes: Record<string, string | number>, take: () => T): T => {
    const kind = [name, ...Object.values(attributes)].join();
    if (joining === undefined || traced.has(kind)) return take();
    traced.add(kind);
    return inStep(name, attributes, take, { parent: joining });
  };

  const attach = async (message: Extract<ClientToMedia, { type: 'attach' }>): Promise<void> => {
    if (holding) throw new Refusal('media.attached', 'This connection has a seat already; open another for another.');
    const tell = (said: MediaToClient) => {
      socket.send(said);
      if (said.type === 'ended') socket.close(1000, said.reason);
    };
    const taken = await node.attach(message.leg, message.token, message, tell);
    if (!socket.open) return taken.conference.detach(message.leg, taken.seat);
    clearTimeout(idle);
    holding = taken;
    leg = message.leg;
    socket.send({ type: 'attached', re: message.id, ...taken.attached });
  };

  const held = () => {
    if (!holding || leg === undefined) throw new Refusal('media.not-attached', 'Attach first: say which leg you are.');
    return { seat: holding.seat, desire: holding.conference.legDesire(leg) };
  };

  const answer = async (message: ClientToMedia): Promise<void> => {
    const ok = () => socket.send({ type: 'ok', re: message.id });
    switch (message.type) {
      case 'attach':
        joining = message.traceparent;
        return step('media.attach', {}, () => attach(message));
      case 'connect':
        await step('media.connect', { 'isthmus.transport': message.transport }, () =>
          held().seat.connect(message.transport, message.dtlsParameters),
        );
        return ok();
      case 'produce': {
        const producerId = await step('media.produce', { 'isthmus.source': message.source }, () => {
          const { seat, desire } = held();
          return seat.produce(message.source, message.kind, message.rtpParameters, desire);
        });
        return socket.send({ type: 'produced', re: message.id, producerId });
      }
      case 'pause':
      case 'resume': {
        const { seat, desire } = held();
        await seat.pause(message.source, message.type === 'pause', desire);
        return ok();
      }
      case 'ready':
        await step('media.ready', {}, () => held().seat.ready(message.consumers));
        return ok();
      case 'restart-ice':
        return socket.send({ type: 'restarted', re: message.id, iceParameters: await held().seat.restartIce(message.transport) });
    }
  };

  return {
    message: answer,
    closed: () => {
      clearTimeout(idle);
      if (holding && leg !== undefined) holding.conference.detach(leg, holding.seat);
    },
  };
};
