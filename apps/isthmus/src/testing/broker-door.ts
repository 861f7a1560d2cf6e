import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { forward } from './forward.js';
import type { Machine } from './namespaces.js';
import { ended } from './world-part.js';

const PROGRAM = fileURLToPath(new URL('../../dist/testing/broker-door-process.js', import.meta.url));

/**
 * The way from a machine to its site's broker, which runs outside of all machines: what connects to the broker's address on the
 * machine goes through a UNIX socket, which no wire is part of and no cut concerns. No other machine has it.
 */
export class BrokerDoor {
  private constructor(
    private readonly outside: Server,
    private readonly inside: ChildProcess,
  ) {}

  /** @param broker `127.0.0.1:29292`: the same on both sides, for a broker tells its clients where it is */
  static async open(machine: Machine, broker: string, socket: string): Promise<BrokerDoor> {
    const [host = '', port = ''] = broker.split(':');
    const outside = await forward({ path: socket }, { host, port: Number(port) });
    const inside = machine.spawn(process.execPath, [PROGRAM, host, port, socket], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const door = new BrokerDoor(outside, inside);
    await Promise.race([once(inside, 'message'), once(inside, 'exit')]);
    if (inside.exitCode === null && inside.signalCode === null) return door;
    await door.close();
    throw new Error(`no way from ${machine.name} to its broker at ${broker}`);
  }

  async close(): Promise<void> {
    await ended(this.inside);
    this.outside.close();
  }
}
