import { hash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { canonicalState, type Conference, type ConferenceId } from '@isthmus/conference';

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

export const occasionDigest = (
  conferences: readonly ConferenceId[],
  hashes: readonly string[],
  state: Conference,
): RoomDigest['occasions'][number] => ({
  conferences: conferences.toSorted(),
  facts: sha256(hashes.toSorted().join()),
  state: sha256(canonicalState(state)),
});

const sha256 = (text: string): string => hash('sha256', text);

interface Routes {
  use(path: string, handle: (request: IncomingMessage, response: ServerResponse) => void): unknown;
}

/** Tells whoever asks on this very machine what has been folded, to be compared with other sites. There are no names in it. */
export const serveDiagnostics = (app: Routes, digests: () => Promise<readonly RoomDigest[]>): void => {
  app.use('/diagnostics/rooms', (request, response) => {
    // Whoever comes from one of our own addresses to one of our own addresses is here.
    const { remoteAddress, localAddress } = request.socket;
    const here = remoteAddress !== undefined && remoteAddress === localAddress;
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify(body));
    };
    if (!here) return answer(403, { code: 'diagnostics.elsewhere', detail: 'Ask on the machine itself.' });
    digests().then(
      (rooms) => answer(200, { rooms }),
      () => answer(503, { code: 'diagnostics.unavailable', detail: 'Not all facts could be read from the store. Ask again.' }),
    );
  });
};
