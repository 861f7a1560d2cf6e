import type { Peers } from '@isthmus/ports';

/** Links that can be closed and opened again: each time others are made. Between, nobody is linked. */
export const restartablePeers = (make: () => Peers): Peers => {
  let current: Peers | undefined;
  let wanted: Parameters<Peers['setPeers']>[0] = [];
  return {
    start: async (handlers) => {
      const made = make();
      current = made;
      made.setPeers(wanted);
      try {
        await made.start(handlers);
      } catch (error) {
        current = undefined;
        await made.close();
        throw error;
      }
    },
    setPeers: (peers) => {
      wanted = peers;
      current?.setPeers(peers);
    },
    send: (peer, body) => current?.send(peer, body),
    states: () => current?.states() ?? [],
    close: async () => {
      const closing = current;
      current = undefined;
      await closing?.close();
    },
  };
};
