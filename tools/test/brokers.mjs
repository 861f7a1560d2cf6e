import { fork } from 'node:child_process';
import { join } from 'node:path';
import { BIN, ROOT, toolEnvironment } from '../lib/paths.mjs';
import { Problem } from '../lib/problem.mjs';

/** Away from what somebody's own broker has, and below the ports that Linux gives to whoever asks for any. */
const FIRST_PORT = 29_292;

/**
 * Runs some work beside Kafka brokers that know nothing of each other, and ends them after it.
 * @template T
 * @param {number} count
 * @param {(env: Record<string, string>) => Promise<T>} work is told of them as specs are: `ISTHMUS_TEST_BROKERS`
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
  try {
    /** @type {readonly { address: string }[]} */
    const brokers = await new Promise((resolve, reject) => {
      kafka.on('message', (/** @type {{ type: string, brokers: { address: string }[] }} */ said) => {
        if (said.type === 'ready') resolve(said.brokers);
      });
      kafka.once('exit', () => reject(new Problem('The Kafka brokers did not come up.', 'What they said is above.')));
    });
    return await work({ ISTHMUS_TEST_BROKERS: brokers.map(({ address }) => address).join(',') });
  } finally {
    // It ends its brokers in order when the channel closes.
    if (kafka.connected) kafka.disconnect();
    await gone;
  }
};
