import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { Fault } from '@isthmus/kernel';

/** Runs the two programs that make our clips, and says plainly which Debian package brings one that is missing. */
const PACKAGE = { ffmpeg: 'ffmpeg', 'espeak-ng': 'espeak-ng' } as const;

/** Runs to the end; `input` is fed as fast as the program takes it. Answers what it wrote to standard output. */
export const runTool = async (tool: keyof typeof PACKAGE, args: readonly string[], input?: AsyncIterable<Buffer>): Promise<Buffer> => {
  const child = spawn(tool, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  let errors = '';
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => (errors = (errors + bytes.toString()).slice(-2_000)));
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ENOENT'
          ? new Fault(
              'bots.tool-missing',
              `${tool} is not installed; bots need it to make their pictures and voices. On Debian: apt-get install ${PACKAGE[tool]}`,
            )
          : new Fault('bots.tool-failed', `${tool} could not be started: ${error.message}`, {}, { cause: error }),
      ),
    );
    child.once('close', (code) => resolve(code ?? -1));
  });
  // A program that dies early breaks the pipe; its exit code tells more than the broken pipe does.
  child.stdin.on('error', () => {});
  ended.catch(() => {});
  if (input) {
    for await (const bytes of input) {
      if (child.exitCode !== null || child.stdin.destroyed) break;
      if (!child.stdin.write(bytes)) await roomOrEnd(child.stdin);
    }
  }
  child.stdin.end();
  const code = await ended;
  if (code !== 0) throw new Fault('bots.tool-failed', `${tool} ended with ${code}: ${errors.trim()}`, { args });
  return Buffer.concat(out);
};

/** Until the stream takes more, or never will. */
const roomOrEnd = (stream: Writable): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.once('drain', done).once('close', done);
  });
