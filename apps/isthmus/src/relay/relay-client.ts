import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { Fault, Refusal } from '@isthmus/kernel';
import type { RelayAnswer, RelayStats } from './control.js';
import type { Bins } from './link-meter.js';

/** Asks and tells a running relay. */
export interface RelayClient {
  stats(): Promise<RelayStats>;
  /** The last `count` bins of 100 ms from one place to another. */
  bins(from: string, to: string, count: number): Promise<Bins>;
  /** All counters to zero. */
  reset(): Promise<void>;
  cut(from: string, to: string, options?: { oneWay?: boolean }): Promise<void>;
  shape(from: string, to: string, options: { oneWay?: boolean; delayMs?: number; jitterMs?: number; lossPercent?: number }): Promise<void>;
  /** Back to perfect: one link, or all of them. */
  heal(from?: string, to?: string, options?: { oneWay?: boolean }): Promise<void>;
  close(): void;
}

/** @param path the relay's `controlPath` */
export const connectRelay = async (path: string): Promise<RelayClient> => {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
  } catch (cause) {
    throw new Fault('relay.unreachable', `No relay answers at ${path}. Is the demo running?`, {}, { cause });
  }
  const ask = askingOver(socket);
  return {
    stats: () => ask<RelayStats>({ do: 'stats' }),
    bins: (from, to, count) => ask<Bins>({ do: 'bins', from, to, count }),
    reset: () => ask({ do: 'reset' }),
    cut: (from, to, options = {}) => ask({ do: 'cut', from, to, ...options }),
    shape: (from, to, options) => ask({ do: 'shape', from, to, ...options }),
    heal: (from, to, options = {}) => ask({ do: 'heal', ...(from !== undefined && to !== undefined ? { from, to, ...options } : {}) }),
    close: () => socket.destroy(),
  };
};

const askingOver = (socket: Socket) => {
  const open = new Map<number, (answer: RelayAnswer) => void>();
  let next = 0;
  createInterface({ input: socket }).on('line', (line) => {
    const answer = JSON.parse(line) as RelayAnswer;
    open.get(answer.id)?.(answer);
    open.delete(answer.id);
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    for (const [id, settle] of open) settle({ id, error: 'the relay has gone' });
    open.clear();
  });
  return <T = void>(request: object): Promise<T> => {
    const id = next++;
    return new Promise<T>((resolve, reject) => {
      if (socket.destroyed) return reject(new Fault('relay.unreachable', 'The relay has gone.'));
      open.set(id, (answer) => ('error' in answer ? reject(new Refusal('relay.refused', answer.error)) : resolve(answer.result as T)));
      socket.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  };
};
