import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { Fault } from '@isthmus/kernel';

/** Below this, SQLite's next fsync may be the one that fails. */
const FREE_BYTES_MIN = 64 * 1024 * 1024;
/** Longest path that a UNIX socket can have on Linux (unix(7)), without its end. */
const SOCKET_PATH_MAX = 107;

/** What a running demo leaves in its folder, so that other commands find it. */
const runningDemo = z.object({
  pid: z.int(),
  portalUrl: z.string(),
  relay: z.string(),
  sites: z.array(z.object({ id: z.string(), name: z.string(), meetUrl: z.string() })),
});
export type RunningDemo = z.infer<typeof runningDemo>;

/** The one folder in which a demo keeps everything: facts, keys, logs. Only its owner may look inside. */
export class StateFolder {
  private constructor(readonly path: string) {}

  /**
   * Makes the folder if need be.
   * @throws Fault `demo.state-unusable` if nothing can be kept there; `demo.running` if another demo uses it
   */
  static open(path: string): StateFolder {
    const folder = new StateFolder(resolve(path));
    folder.check();
    const other = folder.running();
    if (other) {
      throw new Fault(
        'demo.running',
        `A demo is running with ${folder.path} already (process ${other.pid}, ${other.portalUrl}). Stop it, or name another folder with --state.`,
      );
    }
    return folder;
  }

  /** A folder inside, made if need be. */
  folder(name: string): string {
    const path = join(this.path, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  }

  /** Keeps a value where only the owner reads it. @returns the file's path */
  keep(name: string, value: unknown): string {
    const path = join(this.path, name);
    writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
    return path;
  }

  has(name: string): boolean {
    return existsSync(join(this.path, name));
  }

  /** Where the relay can be asked; in the temporary folder if this one's path is too long for a socket. */
  get relaySocket(): string {
    const here = join(this.path, 'relay.sock');
    return here.length <= SOCKET_PATH_MAX ? here : join(tmpdir(), `isthmus-${process.pid}-${randomBytes(4).toString('hex')}.sock`);
  }

  announce(demo: RunningDemo): void {
    this.keep('demo.json', demo);
  }

  withdraw(): void {
    rmSync(join(this.path, 'demo.json'), { force: true });
  }

  /** The demo that uses this folder now, if one does. One that was killed left its note behind. */
  running(): RunningDemo | undefined {
    const path = join(this.path, 'demo.json');
    if (!existsSync(path)) return undefined;
    try {
      const demo = runningDemo.parse(JSON.parse(readFileSync(path, 'utf8')));
      return demo.pid !== process.pid && isDemo(demo.pid) ? demo : undefined;
    } catch {
      return undefined;
    }
  }

  /** For commands that only look for a running demo. */
  static find(path: string): RunningDemo | undefined {
    return new StateFolder(resolve(path)).running();
  }

  /** @throws Fault `demo.not-running` */
  static mustFind(path: string): RunningDemo {
    const demo = StateFolder.find(path);
    if (demo) return demo;
    throw new Fault(
      'demo.not-running',
      `No demo is running with the state folder ${path}. Start one with npm start, or name its folder with --state.`,
    );
  }

  private check(): void {
    try {
      makeFolders(this.path);
      chmodSync(this.path, 0o700);
      const probe = join(this.path, '.probe');
      writeFileSync(probe, 'x', { flush: true });
      rmSync(probe);
    } catch (cause) {
      throw unusable(this.path, cause as NodeJS.ErrnoException);
    }
    const { bavail, bsize } = statfsSync(this.path);
    if (bavail * bsize < FREE_BYTES_MIN) {
      throw new Fault(
        'demo.state-unusable',
        `The disk of the state folder ${this.path} is full (${Math.floor((bavail * bsize) / 1024 / 1024)} MiB free). Free at least 64 MiB, or name another folder with --state.`,
      );
    }
  }
}

/** One by one, because Node's own `recursive` never returns where a file system (such as /proc) takes no folder at all. */
const makeFolders = (path: string): void => {
  if (existsSync(path)) return;
  makeFolders(dirname(path));
  mkdirSync(path, { mode: 0o700 });
};

const unusable = (path: string, cause: NodeJS.ErrnoException): Fault => {
  const reasons: Record<string, string> = {
    EACCES: 'this user may not write there',
    EPERM: 'this user may not write there',
    EROFS: 'it is on a read-only file system',
    ENOENT: 'that file system takes no folders',
    ENOSPC: 'its disk is full',
    ENOTDIR: 'it, or a part of its path, is a file',
  };
  const why = reasons[cause.code ?? ''] ?? cause.message;
  return new Fault(
    'demo.state-unusable',
    `The state folder ${path} cannot be used: ${why}. Name another with --state, or put this one right.`,
    {},
    { cause },
  );
};

/** Whether that process lives and is one of ours: its number may belong to somebody else by now. */
const isDemo = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes('demo');
  } catch {
    return true;
  }
};
