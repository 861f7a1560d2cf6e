import { startDemo } from './demo.js';

export interface RunDemoOptions {
  readonly main: string;
  readonly listen: string | undefined;
  readonly state: string;
  readonly sites: number;
  readonly nodesPerSite: number;
  readonly capacity: number;
  readonly port: number;
}

/**
 * `isthmus demo` from start to Ctrl-C. Resolves when everything has ended. It also ends when whoever started it has gone, so
 * that nothing is left behind even then.
 */
export const runDemo = async ({ port, ...options }: RunDemoOptions): Promise<void> => {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const asked = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
    process.once('disconnect', () => resolve());
  });
  const starting = startDemo({ ...options, basePort: port, say });
  // Somebody may change their mind before it is up.
  const demo = await Promise.race([starting, asked.then(() => undefined)]);
  if (demo) {
    process.stdout.write(`${demo.table}\nCtrl-C ends it.\n`);
    await asked;
  }
  say('Stopping …');
  await (await starting).close();
  if (process.connected) process.disconnect();
};
