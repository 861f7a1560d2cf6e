import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

/**
 * Hands out the authority's certificate. Over plain HTTP, because whoever fetches it cannot check HTTPS yet: people compare
 * the fingerprint with the one that the terminal shows.
 */
export const serveAuthority = async (
  file: string,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<{ close(): Promise<void> }> => {
  const certificate = readFileSync(file);
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/ca.pem') return void response.writeHead(404).end();
    response.writeHead(200, {
      'content-type': 'application/x-x509-ca-cert',
      'content-disposition': 'attachment; filename="isthmus-ca.pem"',
      'x-content-type-options': 'nosniff',
    });
    response.end(certificate);
  });
  server.maxConnections = 100;
  server.listen(port, host);
  await once(server, 'listening');
  return {
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
};
