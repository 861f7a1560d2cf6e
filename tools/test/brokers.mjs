import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BIN, ROOT, toolEnvironment } from '../lib/paths.mjs';
import { Problem } from '../lib/problem.mjs';

/** Away from what somebody's own broker has, and below the ports that Linux gives to whoever asks for any. */
const FIRST_PORT = 29_292;

/**
 * Runs some work beside Kafka brokers that know nothing of each other, and ends them after it.
 * @template T
 * @param {number} count
 * @param {(env: Record<string, string>) => Promise<T>} work is told of them as specs are: `ISTHMUS_TEST_BROKERS` is where they are,
 *   `ISTHMUS_TEST_BROKERS_CONTROL` the UNIX socket where they may be killed and started again
 * @returns {Promise<T>}
 */
export const besideBrokers = async (count, work) => {
  const program = join(ROOT, 'tools', 'kafka', 'kafka.mjs');
  const kafka = fork(program, ['--brokers', String(count), '--port', String(FIRST_PORT)], {
    execPath: join(BIN, 'node'),
    env: toolEnvironment(),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const gone = new Promise((resolve) => kafka.once('exit', resolve));
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-brokers-'));
  const control = join(folder, 'control.sock');
  const server = controlOf(kafka).listen(control);
  try {
    /** @type {readonly { address: string }[]} */
    const brokers = await new Promise((resolve, reject) => {
      kafka.on('message', (/** @type {{ type: string, brokers: { address: string }[] }} */ said) => {
        if (said.type === 'ready') resolve(said.brokers);
      });
      kafka.once('exit', () => reject(new Problem('The Kafka brokers did not come up.', 'What they said is above.')));
    });
    const addresses = brokers.map(({ address }) => address).join(',');
    return await work({ ISTHMUS_TEST_BROKERS: addresses, ISTHMUS_TEST_BROKERS_CONTROL: control });
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
    // It ends its brokers in order when the channel closes.
    if (kafka.connected) kafka.disconnect();
    await gone;
  }
};

/**
 * Takes `{ id, what: 'kill' | 'start' | 'fill', broker }`, a JSON object a line, and answers as `tools/kafka` does: `{ type: 'done', id, error }`.
 * @param {import('node:child_process').ChildProcess} kafka
 */
const controlOf = (kafka) => {
  /** Those who control know nothing of each other's numbers. @type {Map<number, (said: object) => void>} */
  const asked = new Map();
  let last = 0;
  kafka.on('message', (/** @type {{ type: string, id: number }} */ said) => {
    if (said.type === 'done') asked.get(said.id)?.(said);
    asked.delete(said.id);
  });
  return createServer((socket) => {
    socket.on('error', () => undefined); // It has gone, and hears no answer.
    createInterface(socket).on('line', (line) => {
      const { id, what, broker } = JSON.parse(line);
      asked.set(++last, (said) => socket.write(`${JSON.stringify({ ...said, id })}\n`));
      kafka.send({ id: last, what, broker });
    });
  });
};
