import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../../libs/adapters/event-store-esdb/dist/testing/server-process.js', import.meta.url));

/** A test server that speaks EventStoreDB's protocol and keeps on disk what it acknowledged, in a process that can be killed. */
export class EsdbProcess {
  private constructor(
    readonly connectionString: string,
    private readonly file: string,
    private child: ChildProcess,
  ) {}

  static async launch(file: string): Promise<EsdbProcess> {
    const [child, connectionString] = await begin(file, 0);
    return new EsdbProcess(connectionString, file, child);
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }

  /** Again, at the same place, with what it had. */
  async restart(): Promise<void> {
    await this.kill();
    [this.child] = await begin(this.file, Number(new URL(this.connectionString.replace('esdb:', 'http:')).port));
  }
}

export const launchEsdb = (file: string): Promise<EsdbProcess> => EsdbProcess.launch(file);

const begin = async (file: string, port: number): Promise<readonly [ChildProcess, string]> => {
  const child = spawn(process.execPath, [PROGRAM, file, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => [''])])) as [Buffer | string];
  const text = said.toString().trim();
  if (text === '') throw new Error('The test server has ended before it served.');
  return [child, text];
};
