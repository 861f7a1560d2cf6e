import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { Fault } from '@isthmus/kernel';

/** What a running part can be told on its own machine, by its own user: one JSON object a line, answered by one. */
const order = z.strictObject({ do: z.literal('copy-facts'), to: z.string().min(1).max(4_096) });
const answer = z.union([z.strictObject({ done: z.literal(true) }), z.strictObject({ error: z.string() })]);

/** Longest path that a UNIX socket can have on Linux (unix(7)), without its end. */
const SOCKET_PATH_MAX = 107;
const ANSWER_WITHIN_MS = 10 * 60_000;

/** In the part's own folder, which only its owner may enter; elsewhere only if that path is too long. */
export const controlSocketOf = (stateDir: string): string => {
  const here = join(resolve(stateDir), 'control.sock');
  if (here.length <= SOCKET_PATH_MAX) return here;
  return join(tmpdir(), `isthmus-${createHash('sha256').update(here).digest('hex').slice(0, 24)}.sock`);
};

export interface Controls {
  /** Copies the facts as they are now into a new file, while everything goes on. */
  copyFacts(to: string): Promise<void>;
}

/** Lets the user who runs this part tell it what to do. */
export const openControls = async (stateDir: string, controls: Controls): Promise<{ close(): Promise<void> }> => {
  const path = controlSocketOf(stateDir);
  // Whoever left it there is gone: the store is ours alone by now.
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
    createInterface({ input: socket }).on('line', (line) => {
      obey(line, controls).then(
        () => socket.end(`${JSON.stringify({ done: true })}\n`),
        (error: unknown) => socket.end(`${JSON.stringify({ error: error instanceof Error ? error.message : String(error) })}\n`),
      );
    });
  });
  server.listen(path);
  await once(server, 'listening');
  chmodSync(path, 0o600);
  return {
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
};

const obey = async (line: string, controls: Controls): Promise<void> => {
  const { to } = order.parse(JSON.parse(line));
  await controls.copyFacts(to);
};

/** Tells the part that runs in this folder to copy its facts. False if none runs there. @throws Fault `backup.failed` with its own words */
export const tellToCopyFacts = async (stateDir: string, to: string): Promise<boolean> => {
  const socket = connect(controlSocketOf(stateDir));
  try {
    await once(socket, 'connect');
  } catch {
    return false;
  }
  socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy(new Error('no answer')));
  socket.write(`${JSON.stringify({ do: 'copy-facts', to })}\n`);
  let said = '';
  for await (const chunk of socket.setEncoding('utf8') as AsyncIterable<string>) said += chunk;
  const parsed = answer.safeParse(said === '' ? undefined : JSON.parse(said));
  if (parsed.success && 'done' in parsed.data) return true;
  const why = parsed.success && 'error' in parsed.data ? parsed.data.error : 'it gave no answer';
  throw new Fault('backup.failed', `What runs in ${stateDir} could not copy its facts: ${why}`);
};
