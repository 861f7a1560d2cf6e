import { execFile, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One machine of a little world: a network namespace of its own, with one address on the wire that joins them all. */
export interface Machine {
  readonly name: string;
  /** On the wire; loopback is its own as well. */
  readonly address: string;
  /** Starts a program on it. */
  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess;
}

const TABLE = 'isthmus';
/** `ip` tells interfaces apart by at most 15 characters. */
const inWire = (at: number): string => `wire${at}`;

/**
 * Machines joined by one wire, in network namespaces (`ip-netns(8)`), with nothing of the real machine's network in them. What
 * is cut is dropped on arrival by nftables: nobody hears of it, as when a cable is dug up. Needs root.
 */
export class Namespaces {
  private readonly machines = new Map<string, Machine>();

  private constructor(private readonly prefix: string) {}

  /** @param names at most 200, each a word */
  static async open(names: readonly string[]): Promise<Namespaces> {
    const world = new Namespaces(`isthmus-${process.pid}`);
    try {
      await world.build(names);
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  machine(name: string): Machine {
    const machine = this.machines.get(name);
    if (machine === undefined) throw new Error(`there is no machine ${name}`);
    return machine;
  }

  /** What the others send to `to` does not arrive any more; the other way it still does. */
  deafen(to: string, ...from: readonly string[]): Promise<void> {
    return this.drop(to, from);
  }

  /** Each of `some` and each of `others` hear nothing of each other. */
  async cut(some: readonly string[], others: readonly string[]): Promise<void> {
    await Promise.all([...some.map((name) => this.drop(name, others)), ...others.map((name) => this.drop(name, some))]);
  }

  /** Everybody hears everybody again. */
  async heal(): Promise<void> {
    await Promise.all([...this.machines.keys()].map((name) => this.inside(name, 'nft', 'flush', 'set', 'inet', TABLE, 'cut')));
  }

  async close(): Promise<void> {
    const { stdout } = await run('ip', ['netns', 'list']);
    const ours = stdout.split('\n').flatMap((line) => (line.startsWith(`${this.prefix}-`) ? [line.split(' ')[0]!] : []));
    for (const namespace of ours) await run('ip', ['netns', 'del', namespace]);
  }

  private async build(names: readonly string[]): Promise<void> {
    const wire = this.namespaceOf('wire');
    await run('ip', ['netns', 'add', wire]);
    await run('ip', ['-n', wire, 'link', 'add', 'wire', 'type', 'bridge']);
    await run('ip', ['-n', wire, 'link', 'set', 'wire', 'up']);
    for (const [at, name] of names.entries()) {
      const namespace = this.namespaceOf(name);
      const address = `10.203.0.${at + 1}`;
      await run('ip', ['netns', 'add', namespace]);
      await run('ip', ['-n', wire, 'link', 'add', inWire(at), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace]);
      await run('ip', ['-n', wire, 'link', 'set', inWire(at), 'master', 'wire', 'up']);
      await run('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
      await run('ip', ['-n', namespace, 'address', 'add', `${address}/24`, 'dev', 'eth0']);
      await run('ip', ['-n', namespace, 'link', 'set', 'eth0', 'up']);
      this.machines.set(name, {
        name,
        address,
        spawn: (program, args, options) => spawn('ip', ['netns', 'exec', namespace, program, ...args], options),
      });
      await this.inside(name, 'nft', 'add', 'table', 'inet', TABLE);
      await this.inside(name, 'nft', 'add', 'set', 'inet', TABLE, 'cut', '{ type ipv4_addr; }');
      await this.inside(name, 'nft', 'add', 'chain', 'inet', TABLE, 'arrivals', '{ type filter hook input priority 0; }');
      await this.inside(name, 'nft', 'add', 'rule', 'inet', TABLE, 'arrivals', 'ip saddr @cut drop');
    }
  }

  private async drop(at: string, peers: readonly string[]): Promise<void> {
    const addresses = peers.map((peer) => this.machine(peer).address).join(', ');
    await this.inside(at, 'nft', 'add', 'element', 'inet', TABLE, 'cut', `{ ${addresses} }`);
  }

  private async inside(name: string, ...command: readonly string[]): Promise<void> {
    await run('ip', ['netns', 'exec', this.namespaceOf(name), ...command]);
  }

  /** As `ip netns` calls it. */
  namespaceOf(name: string): string {
    return `${this.prefix}-${name}`;
  }
}
