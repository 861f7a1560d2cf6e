import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A cable between two ends, for specs: it can be cut (both ends hear of it) or frozen (nobody hears anything). */
export interface TestProxy {
  readonly port: number;
  /** Bytes that went through, both ways. */
  readonly bytes: number;
  cut(): void;
  freeze(): void;
  heal(): void;
  close(): Promise<void>;
}

export const testProxy = async (target: { readonly host: string; readonly port: number }): Promise<TestProxy> => {
  const pairs = new Set<readonly [Socket, Socket]>();
  let state: 'whole' | 'cut' | 'frozen' = 'whole';
  let bytes = 0;
  const server = createServer({ pauseOnConnect: true }, (near) => {
    if (state === 'cut') {
      near.destroy();
      return;
    }
    const far = connect(target);
    const pair = [near, far] as const;
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', (chunk) => {
        bytes += chunk.length;
        if (!to.write(chunk)) from.pause();
      });
      to.on('drain', () => state !== 'frozen' && from.resume());
      from.on('error', end).on('close', end);
    }
    if (state === 'frozen') far.pause();
    else near.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const drop = () => pairs.forEach((pair) => pair.forEach((socket) => socket.destroy()));
  return {
    port: (server.address() as AddressInfo).port,
    get bytes() {
      return bytes;
    },
    cut: () => {
      state = 'cut';
      drop();
    },
    freeze: () => {
      state = 'frozen';
      pairs.forEach((pair) => pair.forEach((socket) => socket.pause()));
    },
    heal: () => {
      state = 'whole';
      pairs.forEach((pair) => pair.forEach((socket) => socket.resume()));
    },
    close: async () => {
      drop();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
