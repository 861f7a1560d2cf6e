import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

interface Pair {
  readonly from: string;
  readonly to: string;
  readonly near: Socket;
  readonly far: Socket;
}

/** Cables between places on loopback, each direction of which can be cut by itself: then nobody hears anything of it. */
export class Cables {
  private readonly servers: Server[] = [];
  private readonly pairs = new Set<Pair>();
  private readonly cutWays = new Set<string>();

  /** What `from` connects to in order to reach `to`, which listens at `host`. */
  async lay(from: string, to: string, at: { readonly alias: string; readonly host: string; readonly port: number }): Promise<void> {
    const server = createServer({ pauseOnConnect: true }, (near) => {
      const pair = { from, to, near, far: connect({ host: at.host, port: at.port }) };
      this.pairs.add(pair);
      const end = () => {
        this.pairs.delete(pair);
        // Over a cut cable nobody learns that the other has gone.
        if (this.isWhole(from, to)) pair.far.destroy();
        if (this.isWhole(to, from)) pair.near.destroy();
      };
      for (const [source, sink, way] of [
        [near, pair.far, [from, to]],
        [pair.far, near, [to, from]],
      ] as const) {
        source.on('data', (chunk) => {
          if (!sink.write(chunk)) source.pause();
        });
        sink.on('drain', () => this.isWhole(...way) && source.resume());
        source.on('error', end).on('close', end);
      }
      this.regulate(pair);
    });
    server.listen(at.port, at.alias);
    await once(server, 'listening');
    this.servers.push(server);
  }

  /** From one place to another, and back unless `oneWay`. */
  cut(from: string, to: string, { oneWay = false } = {}): void {
    this.cutWays.add(`${from} ${to}`);
    if (!oneWay) this.cutWays.add(`${to} ${from}`);
    for (const pair of this.pairs) this.regulate(pair);
  }

  heal(): void {
    this.cutWays.clear();
    for (const pair of this.pairs) this.regulate(pair);
  }

  /** Breaks what is connected; whoever connects again is let through. */
  drop(one: string, other: string): void {
    const between = [...this.pairs].filter(({ from, to }) => (from === one && to === other) || (from === other && to === one));
    for (const { near, far } of between) for (const socket of [near, far]) socket.destroy();
  }

  async close(): Promise<void> {
    this.cutWays.clear();
    for (const { near, far } of this.pairs) for (const socket of [near, far]) socket.destroy();
    await Promise.all(this.servers.map((server) => new Promise((done) => server.close(done))));
  }

  private isWhole(from: string, to: string): boolean {
    return !this.cutWays.has(`${from} ${to}`);
  }

  private regulate({ from, to, near, far }: Pair): void {
    if (this.isWhole(from, to)) near.resume();
    else near.pause();
    if (this.isWhole(to, from)) far.resume();
    else far.pause();
  }
}
