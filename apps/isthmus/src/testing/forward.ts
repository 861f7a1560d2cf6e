import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP address, or the file of a UNIX socket. */
export type Place = { readonly host: string; readonly port: number } | { readonly path: string };

/** Takes connections here and carries each on to there, until either side ends it. Resolves when it listens. */
export const forward = async (here: Place, there: Place): Promise<Server> => {
  const server = createServer((incoming) => {
    const outgoing = connect(there);
    join(incoming, outgoing);
    join(outgoing, incoming);
  }).listen(here);
  await once(server, 'listening');
  return server;
};

/** What one says the other hears; that one is gone the other notices, however it went. */
const join = (from: Socket, to: Socket): void => {
  from
    .pipe(to)
    .on('error', () => from.destroy())
    .on('close', () => from.destroy());
};
