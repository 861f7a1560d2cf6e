import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a site has folded of one room: equal at two sites exactly when they agree, byte for byte. */
export interface RoomDigest {
  readonly room: string;
  readonly occasions: readonly {
    readonly conferences: readonly string[];
    /** SHA-256 over the hashes of all facts known, sorted. */
    readonly facts: string;
    /** SHA-256 of the whole state as text. */
    readonly state: string;
  }[];
}

interface Routes {
  use(path: string, handle: (request: IncomingMessage, response: ServerResponse) => void): unknown;
}

/** Tells whoever asks on this very machine what has been folded, to be compared with other sites. There are no names in it. */
export const serveDiagnostics = (app: Routes, digests: () => readonly RoomDigest[]): void => {
  app.use('/diagnostics/rooms', (request, response) => {
    // Whoever comes from one of our own addresses to one of our own addresses is here.
    const { remoteAddress, localAddress } = request.socket;
    const here = remoteAddress !== undefined && remoteAddress === localAddress;
    response.writeHead(here ? 200 : 403, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify(here ? { rooms: digests() } : { code: 'diagnostics.elsewhere', detail: 'Ask on the machine itself.' }));
  });
};
