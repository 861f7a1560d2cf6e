import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import { Fault } from '@isthmus/kernel';

/**
 * What a page from here may do (ASVS 5.0 §3.4). `connect-src` allows WebSockets anywhere, because a meeting may be carried by a media
 * node that did not exist when the page was loaded; styles inline, because the stage is laid out by them.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "font-src 'self' data:",
  "connect-src 'self' ws: wss:",
  "worker-src 'self' blob:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'permissions-policy':
    'camera=(self), microphone=(self), display-capture=(self), speaker-selection=(self), fullscreen=(self), geolocation=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

const YEAR_S = 365 * 24 * 3600;

/**
 * Serves the meeting client's build: its files as they are, and its one page for `/` and for every meeting link `/r/<alias>`,
 * whether such a room exists or not.
 * @throws Fault `gateway.no-client` when the folder holds no build.
 */
export const servePages = (app: NestExpressApplication, folder: string | undefined, secure: boolean): void => {
  const headers = secure ? { ...HEADERS, 'strict-transport-security': `max-age=${YEAR_S}` } : HEADERS;
  app.use((_request: Request, response: Response, next: NextFunction) => {
    response.set(headers);
    next();
  });
  if (folder === undefined) return;
  const page = join(folder, 'index.html');
  if (!existsSync(page))
    throw new Fault('gateway.no-client', `${folder} holds no built meeting client (no index.html). Build it, or name another folder.`);
  app.use((request: Request, response: Response, next: NextFunction) => {
    if (!isPage(request)) return next();
    response.set('cache-control', 'no-cache').sendFile(page);
  });
  app.useStaticAssets(folder, {
    index: false,
    redirect: false,
    // Vite names what is in assets/ by its content.
    setHeaders: (response: Response, path: string) =>
      response.set('cache-control', path.includes('/assets/') ? `public, max-age=${YEAR_S}, immutable` : 'no-cache'),
  });
};

const isPage = ({ method, path }: Request): boolean =>
  (method === 'GET' || method === 'HEAD') && (path === '/' || /^\/r\/[^/]+\/?$/.test(path));
