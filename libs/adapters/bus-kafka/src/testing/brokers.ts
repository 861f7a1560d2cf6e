import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Real brokers for a spec, started by `tools/kafka` in processes of their own; they end with us, however we end. */
export interface Brokers {
  /** `127.0.0.1:19592`, one per broker: each is a cluster of its own. */
  readonly addresses: readonly string[];
  /** Where they want to know who we are: user `isthmus`. */
  readonly guarded: readonly string[];
  /** As a power cut would. */
  kill(broker: number): Promise<void>;
  /** Again, with the records that it had. */
  start(broker: number): Promise<void>;
  close(): Promise<void>;
}

export interface BrokersWish {
  readonly port: number;
  readonly brokers?: number;
  /** Of the user `isthmus`; given, there are doors that ask for it. */
  readonly password?: string;
}

const TOOL = fileURLToPath(new URL('../../../../../tools/kafka/kafka.mjs', import.meta.url));

interface Said {
  readonly type: 'ready' | 'done';
  readonly id?: number;
  readonly error?: string;
  readonly brokers?: readonly { readonly address: string; readonly guardedAddress: string }[];
}

/** @throws Error with what the tool said if they do not come up. With `KAFKA_BROKERS` set, that cluster is used, and cannot be killed. */
export const startBrokers = async ({ port, brokers = 1, password }: BrokersWish): Promise<Brokers> => {
  const child = spawn(process.execPath, [TOOL, '--port', String(port), '--brokers', String(brokers)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...(password ? { ISTHMUS_TOOLS_KAFKA_PASSWORD: password } : {}) },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream!.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ready = await new Promise<Said>((resolve, reject) => {
    child.on('message', (message: Said) => message.type === 'ready' && resolve(message));
    child.once('exit', (code) => reject(new Error(`tools/kafka ended with status ${code}:\n${said}`)));
  });
  let asked = 0;
  const ask = (what: 'kill' | 'start', broker: number): Promise<void> => {
    const id = ++asked;
    return new Promise((resolve, reject) => {
      const hear = (message: Said) => {
        if (message.type !== 'done' || message.id !== id) return;
        child.off('message', hear);
        if (message.error === undefined) resolve();
        else reject(new Error(message.error));
      };
      child.on('message', hear);
      child.send({ id, what, broker });
    });
  };
  return {
    addresses: ready.brokers!.map(({ address }) => address),
    guarded: ready.brokers!.map(({ guardedAddress }) => guardedAddress),
    kill: (broker) => ask('kill', broker),
    start: (broker) => ask('start', broker),
    close: () => end(child),
  };
};

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
};
