import { STATUS_CODES, type IncomingMessage, type Server as HttpServer } from 'node:http';
import type { Duplex } from 'node:stream';

/** Which web pages may open a WebSocket here: those of the same host (any port), any, or these origins besides, as they are at that moment. */
export type Origins = 'same-host' | 'any' | readonly string[] | (() => readonly string[]);

type Refuse = (status: number, why: string) => void;
type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer, refuse: Refuse) => void;

const ROUTES = new WeakMap<HttpServer, Map<string, Upgrade>>();

/** Gives WebSocket upgrades on one path of a server to `upgrade`; other paths get a 404 rather than silence. Returns how to stop. */
export const routeUpgrades = (server: HttpServer, path: string, upgrade: Upgrade): (() => void) => {
  const routes = ROUTES.get(server) ?? newRoutes(server);
  routes.set(path, upgrade);
  return () => {
    if (routes.get(path) === upgrade) routes.delete(path);
  };
};

const newRoutes = (server: HttpServer): Map<string, Upgrade> => {
  const routes = new Map<string, Upgrade>();
  ROUTES.set(server, routes);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const refuse: Refuse = (status, why) => {
      socket.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(why)}\r\n\r\n${why}`,
      );
    };
    const upgrade = routes.get((request.url ?? '').split('?', 1)[0] ?? '');
    if (upgrade) upgrade(request, socket, head, refuse);
    else refuse(404, 'Nothing listens for WebSockets here.');
  });
  return routes;
};

/**
 * Why a page may not connect, or undefined if it may (ASVS 5.0 §4.4.2: a WebSocket is not bound by the same-origin policy, so
 * the server must look). Whoever sends no Origin is no browser, and could send any.
 */
export const originRefusal = (request: IncomingMessage, origins: Origins = 'same-host'): string | undefined => {
  const { origin, host } = request.headers;
  if (origin === undefined || origins === 'any') return undefined;
  const besides = typeof origins === 'function' ? origins() : origins === 'same-host' ? [] : origins;
  if (besides.includes(origin)) return undefined;
  if (hostnameOf(origin) === hostnameOf(`http://${host}`)) return undefined;
  return `Pages of ${origin.slice(0, 100)} may not connect here.`;
};

const hostnameOf = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).hostname : undefined);
