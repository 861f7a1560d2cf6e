/**
 * `node tools/kafka/kafka.mjs`: Apache Kafka on this machine, one broker or several that know nothing of each other (one per
 * site), until Ctrl-C. Options: `--brokers 3`, `--port 19092` (each next one 10 higher), `--state FOLDER`. With `KAFKA_BROKERS`
 * set, that cluster is used and nothing is started. Whoever starts it with a channel is told when it is ready, and may have
 * brokers killed, stopped, started, and their disks as good as full: `{ id, what: 'kill' | 'stop' | 'start' | 'fill', broker: 0 }`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkCheckout } from '../lib/bootstrap.mjs';
import { ensureNodeModules } from '../lib/node-modules.mjs';
import { Problem, runTool } from '../lib/problem.mjs';
import { step } from '../lib/progress.mjs';
import { ensureKafka } from './install.mjs';

const BROKERS_MAX = 9;
const PORT_STEP = 10;

await runTool(async () => {
  const { brokers: count, port, state } = wish(process.argv.slice(2));
  const there = process.env['KAFKA_BROKERS'];
  if (there) {
    process.stdout.write(`KAFKA_BROKERS=${there} is used; nothing was started.\n`);
    process.send?.({ type: 'ready', brokers: [{ address: there }] });
    process.disconnect?.();
    return;
  }
  checkCheckout();
  await ensureNodeModules();
  // Only now: they use a package.
  const { Broker } = await import('./broker.mjs');
  const classPath = await ensureKafka();
  const folder = state ?? mkdtempSync(join(tmpdir(), 'isthmus-kafka-'));
  const password = process.env['ISTHMUS_TOOLS_KAFKA_PASSWORD'];
  const sasl = password ? { username: 'isthmus', password } : undefined;
  const brokers = Array.from(
    { length: count },
    (_, at) => new Broker({ classPath, folder: join(folder, `broker-${at}`), port: port + at * PORT_STEP, sasl }),
  );
  const ended = endOfWork();
  try {
    await step(`${count === 1 ? 'a broker' : `${count} brokers`}`, async () => {
      await Promise.race([Promise.all(brokers.map((broker) => broker.start())), ended]);
    });
    for (const { address } of brokers) process.stdout.write(`KAFKA_BROKERS=${address}\n`);
    obey(brokers);
    process.send?.({ type: 'ready', brokers: brokers.map(({ address, guardedAddress, pid }) => ({ address, guardedAddress, pid })) });
    await ended;
  } finally {
    await Promise.all(brokers.map((broker) => broker.stop()));
    if (state === undefined) rmSync(folder, { recursive: true, force: true });
    if (process.connected) process.disconnect();
  }
});

/** @param {string[]} args */
function wish(args) {
  const { values } = parseArgs({
    args,
    options: { brokers: { type: 'string', default: '1' }, port: { type: 'string', default: '19092' }, state: { type: 'string' } },
  });
  const brokers = Number(values.brokers);
  const port = Number(values.port);
  if (!Number.isInteger(brokers) || brokers < 1 || brokers > BROKERS_MAX)
    throw new Problem(`--brokers is a number from 1 to ${BROKERS_MAX}.`, 'Try 1 or 3.');
  if (!Number.isInteger(port) || port < 1_024 || port > 65_000) throw new Problem('--port is a number from 1024 to 65000.', 'Try 19092.');
  return { brokers, port, state: values.state };
}

/** @returns {Promise<void>} when somebody wants us to stop, or whoever started us has gone */
function endOfWork() {
  return new Promise((resolve) => {
    process.on('SIGINT', () => resolve()).on('SIGTERM', () => resolve());
    if (process.connected) process.once('disconnect', () => resolve());
  });
}

/** @param {import('./broker.mjs').Broker[]} brokers */
function obey(brokers) {
  process.on('message', (/** @type {{ id: number, what: 'kill' | 'stop' | 'start' | 'fill', broker: number }} */ { id, what, broker }) => {
    const told = brokers[broker];
    const done = told ? told[what]() : Promise.reject(new Problem(`There is no broker ${broker}.`, 'Count from 0.'));
    done.then(
      () => process.send?.({ type: 'done', id }),
      (error) => process.send?.({ type: 'done', id, error: String(error) }),
    );
  });
}
