import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CrewReport, PortalStep, ToCrew } from './crew-protocol.js';
import type { Machine } from './namespaces.js';

const PROGRAM = fileURLToPath(new URL('../../dist/testing/crew-process.js', import.meta.url));

/** Bots on one machine, led from here. */
export class Crew {
  private readonly questions = new Map<number, (answer: { readonly value?: unknown; readonly error?: string }) => void>();
  private asked = 0;
  private said = '';

  private constructor(
    private readonly machine: Machine,
    private readonly child: ReturnType<Machine['spawn']>,
  ) {
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (this.said += text));
    child.on('message', (raw) => {
      const answer = raw as { readonly id: number; readonly value?: unknown; readonly error?: string };
      this.questions.get(answer.id)?.(answer);
      this.questions.delete(answer.id);
    });
    child.once('exit', () => this.questions.forEach((settle) => settle({ error: `the crew at ${machine.name} has ended: ${this.said}` })));
  }

  static async at(machine: Machine, site: string): Promise<Crew> {
    const child = machine.spawn(process.execPath, ['--enable-source-maps', PROGRAM, site], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    const crew = new Crew(machine, child);
    await Promise.race([once(child, 'message'), once(child, 'exit')]);
    if (child.exitCode !== null) throw new Error(`no crew at ${machine.name}: ${crew.said}`);
    return crew;
  }

  join(name: string, meeting: { readonly gatewayUrl: string; readonly alias: string; readonly pin: string; readonly persona: number }) {
    return this.tell<string>({ do: 'join', name, ...meeting });
  }

  speak(name: string, forMs: number): Promise<void> {
    return this.tell({ do: 'speak', name, forMs });
  }

  leave(name: string): Promise<void> {
    return this.tell({ do: 'leave', name });
  }

  /** What every bot here saw since it was last asked. */
  report(): Promise<CrewReport> {
    return this.tell({ do: 'report' });
  }

  /** Asks a web server as somebody on this machine. */
  fetch(url: string): Promise<{ readonly status: number; readonly body: string }> {
    return this.tell({ do: 'fetch', url });
  }

  administer<T>(url: string, steps: readonly PortalStep[]): Promise<T> {
    return this.tell({ do: 'portal', url, steps });
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.disconnect();
    const forced = setTimeout(() => this.child.kill('SIGKILL'), 5_000);
    await gone;
    clearTimeout(forced);
  }

  private tell<T = void>(order: ToCrew): Promise<T> {
    const id = ++this.asked;
    return new Promise((resolve, reject) => {
      this.questions.set(id, ({ value, error }) => (error === undefined ? resolve(value as T) : reject(new Error(error))));
      this.child.send({ id, order });
    });
  }
}
