import { startDemo } from './demo.js';
import { whenToldToStop } from './starter.js';

export interface RunDemoOptions {
  readonly main: string;
  readonly listen: string | undefined;
  readonly state: string;
  readonly sites: number;
  readonly nodesPerSite: number;
  readonly capacity: number;
  readonly nodeProcesses?: boolean;
  readonly port: number;
  /** A broker for each site. */
  readonly kafka?: readonly string[];
  /** With `kafka`, an EventStoreDB for each site. */
  readonly eventstore?: readonly string[];
}

/**
 * `isthmus demo` from start to Ctrl-C. Resolves when everything has ended. It also ends when whoever started it has gone, so
 * that nothing is left behind even then.
 */
export const runDemo = async ({ port, ...options }: RunDemoOptions): Promise<void> => {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const stop = new AbortController();
  const asked = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()));
  whenToldToStop(() => stop.abort());
  try {
    const demo = await startDemo({ ...options, basePort: port, say, signal: stop.signal });
    process.stdout.write(`${demo.table}\nCtrl-C ends it.\n`);
    await asked;
    say('Stopping …');
    await demo.close();
  } catch (error) {
    // Somebody changed their mind before it was up.
    if (!stop.signal.aborted) throw error;
  } finally {
    // Whoever listens for its end is kept alive by the channel to whoever started it.
    if (process.connected) process.disconnect();
  }
};
