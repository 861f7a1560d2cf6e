import { rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { Fault, Refusal } from '@isthmus/kernel';
import { relayRequest, type RelayAnswer, type RelayRequest, type RelayResult } from './control.js';
import { PERFECT, type Condition } from './delay-line.js';
import { DirectedLink } from './link.js';
import { directedLinks, type Place } from './relay-plan.js';
import { startTcpForwarder } from './tcp-forwarder.js';
import { startUdpForwarder } from './udp-forwarder.js';

export interface RelayOptions {
  readonly places: readonly Place[];
  /** UNIX socket on which it can be asked and told (see {@link relayRequest}); only its owner may. */
  readonly controlPath: string;
}

export interface Relay {
  close(): Promise<void>;
}

/**
 * All links of the demo in one process: what goes from one place to another goes through here, is counted per direction, and
 * can be cut, delayed or thinned out without any rights on the machine. Not part of a real deployment.
 */
export const startRelay = async ({ places, controlPath }: RelayOptions): Promise<Relay> => {
  const links = directedLinks(places).map(({ from, to }) => new DirectedLink(from, to));
  const parts: { close(): Promise<void> }[] = [];
  const close = async () => {
    await Promise.all(parts.splice(0).map((part) => part.close()));
    for (const link of links) link.close();
  };
  try {
    parts.push(await startUdpForwarder(links));
    parts.push(await startTcpForwarder(links));
    parts.push(await startControl(links, controlPath));
  } catch (cause) {
    await close();
    throw explained(cause);
  }
  return { close };
};

/** @throws never: makes the error that `startRelay` throws */
const explained = (cause: unknown): Error => {
  const { code, address, port } = cause as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'EADDRINUSE') {
    return new Fault(
      'relay.port-taken',
      `The relay needs ${address}:${port}, which another program has. Stop it, or start with another --port.`,
      {},
      { cause },
    );
  }
  if (code === 'EADDRNOTAVAIL') {
    return new Fault(
      'relay.no-loopback',
      `This system does not have ${address}. The demo needs all of 127.0.0.0/8 on the loopback device, as Linux has.`,
      {},
      { cause },
    );
  }
  return cause instanceof Error ? cause : new Error(String(cause));
};

const startControl = async (links: readonly DirectedLink[], path: string): Promise<{ close(): Promise<void> }> => {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    createInterface({ input: socket }).on('line', (line) => socket.write(`${JSON.stringify(answer(links, line))}\n`));
  });
  // A socket file stays behind when its process is killed.
  rmSync(path, { force: true });
  const mask = process.umask(0o077);
  try {
    server.listen(path);
    await once(server, 'listening');
  } finally {
    process.umask(mask);
  }
  return {
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
};

/** A line that is no request gets an error as its answer; nothing that arrives here ends the relay. */
const answer = (links: readonly DirectedLink[], line: string): RelayAnswer => {
  let id = -1;
  try {
    const raw: unknown = JSON.parse(line);
    if (typeof raw === 'object' && raw && 'id' in raw && typeof raw.id === 'number') id = raw.id;
    const request = relayRequest.parse(raw);
    return { id: request.id, result: perform(links, request) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
};

const perform = (links: readonly DirectedLink[], request: RelayRequest): RelayResult => {
  switch (request.do) {
    case 'stats':
      return {
        atMs: Date.now(),
        links: links.map(({ from, to, condition, meter }) => ({ from: from.id, to: to.id, condition, ...meter.counts() })),
      };
    case 'bins':
      return directions(links, { ...request, oneWay: true })[0]!.meter.lastBins(request.count, performance.now());
    case 'reset':
      for (const { meter } of links) meter.reset();
      return {};
    case 'cut':
      return change(directions(links, request), { cut: true });
    case 'shape': {
      const { delayMs, jitterMs, lossPercent } = request;
      const shape = Object.entries({ delayMs, jitterMs, lossPercent }).filter(([, value]) => value !== undefined);
      return change(directions(links, request), Object.fromEntries(shape));
    }
    case 'heal': {
      const { from, to, oneWay } = request;
      return change(from !== undefined && to !== undefined ? directions(links, { from, to, oneWay }) : links, PERFECT);
    }
  }
};

const directions = (
  links: readonly DirectedLink[],
  { from, to, oneWay }: { from: string; to: string; oneWay: boolean },
): readonly DirectedLink[] => {
  const found = links.filter(
    (link) => (link.from.id === from && link.to.id === to) || (!oneWay && link.from.id === to && link.to.id === from),
  );
  if (found.length > 0) return found;
  const known = [...new Set(links.map((link) => link.from.id))].join(', ');
  throw new Refusal('relay.no-link', `There is no link from "${from}" to "${to}". The relay knows: ${known}.`);
};

const change = (links: readonly DirectedLink[], condition: Partial<Condition>): Record<string, never> => {
  for (const link of links) link.change(condition);
  return {};
};
