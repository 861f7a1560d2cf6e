import { join } from 'node:path';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NestExpressApplication } from '@nestjs/platform-express';

type Next = () => void;

/** Mantine writes its own style elements; scripts come from files only. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** What every answer tells the browser not to do (OWASP ASVS 5.0 §3.4). */
export const securityHeaders =
  (secure: boolean) =>
  (request: IncomingMessage, response: ServerResponse, next: Next): void => {
    response.setHeader('content-security-policy', CONTENT_SECURITY_POLICY);
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('x-frame-options', 'DENY');
    response.setHeader('referrer-policy', 'no-referrer');
    response.setHeader('cross-origin-opener-policy', 'same-origin');
    response.setHeader('cross-origin-resource-policy', 'same-origin');
    response.setHeader('permissions-policy', 'camera=(), microphone=(), geolocation=()');
    if (secure) response.setHeader('strict-transport-security', 'max-age=31536000');
    if (request.url?.startsWith('/v1/')) response.setHeader('cache-control', 'no-store');
    next();
  };

/** Serves the portal's built files. Its pages have paths of their own (`/rooms/7f3a`), all of which are `index.html`. */
export const servePortal = (app: NestExpressApplication, folder: string): void => {
  app.use((request: IncomingMessage, _response: ServerResponse, next: Next) => {
    if (isPage(request)) request.url = '/index.html';
    next();
  });
  app.useStaticAssets(join(folder), {
    index: 'index.html',
    setHeaders: (response: ServerResponse, file: string) =>
      // Vite puts a hash of the content into the names of assets, so those never change.
      void response.setHeader('cache-control', file.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'),
  });
};

const isPage = ({ method, url = '/', headers }: IncomingMessage): boolean => {
  const path = url.split('?', 1)[0] ?? '/';
  const ours = /^\/(v1|docs|healthz|version|metrics)(\/|$)/.test(path);
  return method === 'GET' && !ours && !/\.[a-z0-9]+$/i.test(path) && (headers.accept ?? '').includes('text/html');
};
