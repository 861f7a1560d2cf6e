import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { DynamicModule, Type } from '@nestjs/common';
import type { Bus } from '@isthmus/ports';
import { BusServer } from './bus-server.js';
import { ProblemFilter } from './problem.js';

/** Where a service listens. With `tls` it speaks HTTPS. `port` 0 takes a free one. */
export interface Listen {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
}

/** Undefined: fine. A sentence: what is missing. */
export type Check = () => Promise<string | undefined> | string | undefined;

export interface RunningService {
  readonly name: string;
  /** `http://127.0.0.11:7100` */
  readonly url: string;
  readonly app: NestExpressApplication;
  readonly server: HttpServer;
  close(): Promise<void>;
}

export interface ServiceOptions {
  readonly name: string;
  readonly module: Type | DynamicModule;
  readonly listen: Listen;
  /** Nest handlers of the module listen on this bus. */
  readonly bus?: Bus;
  /** What `/healthz/ready` asks, by the dependency's name. */
  readonly checks?: Readonly<Record<string, Check>>;
  /** Before it listens: routes, static files, WebSocket upgrade. */
  readonly configure?: (app: NestExpressApplication) => void | Promise<void>;
}

/** Starts one service: its Nest application, its health, its answers to the bus. Quiet when closed twice. */
export const startService = async (options: ServiceOptions): Promise<RunningService> => {
  const { name, module, listen, bus, checks = {}, configure } = options;
  const tls = listen.tls && { cert: readFileSync(listen.tls.certFile), key: readFileSync(listen.tls.keyFile) };
  const app = await NestFactory.create<NestExpressApplication>(module, {
    logger: ['error', 'warn'],
    abortOnError: false,
    ...(tls ? { httpsOptions: tls } : {}),
  });
  app.useGlobalFilters(new ProblemFilter());
  addHealth(app, name, checks);
  await configure?.(app);
  if (bus) app.connectMicroservice({ strategy: new BusServer(bus, name) });
  await app.startAllMicroservices();
  await app.listen(listen.port, listen.host);
  const server = app.getHttpServer() as HttpServer;
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : listen.port;
  let closing: Promise<void> | undefined;
  return {
    name,
    url: `${tls ? 'https' : 'http'}://${listen.host}:${port}`,
    app,
    server,
    close: () => (closing ??= closeGently(app, server)),
  };
};

const closeGently = async (app: NestExpressApplication, server: HttpServer): Promise<void> => {
  server.closeIdleConnections();
  const forced = setTimeout(() => server.closeAllConnections(), 500);
  await app.close();
  clearTimeout(forced);
};

const addHealth = (app: NestExpressApplication, name: string, checks: Readonly<Record<string, Check>>): void => {
  const answer = (res: ServerResponse, status: number, body: unknown) => {
    res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    res.end(JSON.stringify(body));
  };
  app.use('/healthz/live', (_req: IncomingMessage, res: ServerResponse) => answer(res, 200, { status: 'ok', service: name }));
  app.use('/healthz/ready', async (_req: IncomingMessage, res: ServerResponse) => {
    const states: Record<string, string> = {};
    for (const [dependency, check] of Object.entries(checks)) {
      states[dependency] = await Promise.resolve()
        .then(check)
        .then((missing) => missing ?? 'ok')
        .catch((error: unknown) => String(error));
    }
    const ready = Object.values(states).every((state) => state === 'ok');
    answer(res, ready ? 200 : 503, { status: ready ? 'ok' : 'unready', service: name, dependencies: states });
  });
  app.use('/version', (_req: IncomingMessage, res: ServerResponse) => answer(res, 200, { service: name, version: '0.1.0' }));
};
