import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker } from '../../kafka/broker.mjs';
import { ensureKafka } from '../../kafka/install.mjs';

/** Away from those of tests, and below the ports that Linux gives to whoever asks for any. */
const FIRST_PORT = 31_492;

/**
 * A Kafka broker for each site, which know nothing of each other.
 * @param {import('../figures.mjs').BenchContext} context @param {number} count
 * @returns {Promise<readonly { address: string, pid: number }[]>}
 */
export const startBrokers = async (context, count) => {
  context.note('starting brokers');
  const classPath = await ensureKafka();
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-bench-kafka-'));
  context.atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const brokers = Array.from(
    { length: count },
    (_, at) => new Broker({ classPath, folder: join(folder, String(at)), port: FIRST_PORT + 10 * at }),
  );
  context.atEnd(() => Promise.all(brokers.map((broker) => broker.stop())));
  await Promise.all(brokers.map((broker) => broker.start()));
  return brokers.map(({ address, pid }) => ({ address, pid: pid ?? 0 }));
};
