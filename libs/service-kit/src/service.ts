import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import { SpanKind, type Span } from '@opentelemetry/api';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { DynamicModule, Type } from '@nestjs/common';
import { Fault } from '@isthmus/kernel';
import type { Bus } from '@isthmus/ports';
import { BusServer } from './bus-server.js';
import { nestLog } from './log.js';
import { ProblemFilter } from './problem.js';
import { inService, inSpan } from './trace.js';

/** Where a service listens. With `tls` it speaks HTTPS. `port` 0 takes a free one. */
export interface Listen {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
}

/** Undefined: fine. A sentence: what is missing. `degraded`: what is missing although the service does all it should without it. */
export type Verdict = string | undefined | { readonly degraded: string };
export type Check = () => Promise<Verdict> | Verdict;

export interface RunningService {
  readonly name: string;
  /** `http://127.0.0.11:7100` */
  readonly url: string;
  readonly app: NestExpressApplication;
  readonly server: HttpServer;
  /** No longer ready, then `drain`, then gone. Quiet the second time. */
  close(): Promise<void>;
}

export interface ServiceOptions {
  readonly name: string;
  readonly module: Type | DynamicModule;
  readonly listen: Listen;
  /** Nest handlers of the module listen on this bus. */
  readonly bus?: Bus;
  /** Bus messages are shared with the other services of this group. Default: the service's name. */
  readonly group?: string;
  /** What `/healthz/ready` asks, by the dependency's name. */
  readonly checks?: Readonly<Record<string, Check>>;
  /** Before it listens: routes, static files, WebSocket upgrade. */
  readonly configure?: (app: NestExpressApplication) => void | Promise<void>;
  /** First thing when it closes, while everything still works: say goodbye to clients, finish what was begun. */
  readonly drain?: () => Promise<void>;
}

/** Largest request body, bytes. */
export const BODY_BYTES_MAX = 100 * 1024;
/** How long answers that are under way get, once a service closes. */
const FINISH_MS = 500;

/**
 * Starts one service: its Nest application, its health, its answers to the bus.
 * @throws Fault `service.port-taken` | `service.address-unknown` | `service.address-forbidden` | `service.certificate-unreadable`
 */
export const startService = (options: ServiceOptions): Promise<RunningService> => inService(options.name, () => start(options));

const start = async (options: ServiceOptions): Promise<RunningService> => {
  const { name, module, listen, bus, group = options.name, checks = {}, configure, drain } = options;
  const tls = listen.tls && { cert: readable(name, listen.tls.certFile), key: readable(name, listen.tls.keyFile) };
  const app = await NestFactory.create<NestExpressApplication>(module, {
    logger: nestLog(name),
    abortOnError: false,
    bodyParser: false,
    ...(tls ? { httpsOptions: tls } : {}),
  });
  let draining = false;
  app.use((request: IncomingMessage, response: ServerResponse, next: () => void) => inServiceOf(name, request, response, next));
  app.useBodyParser('json', { limit: BODY_BYTES_MAX });
  app.disable('x-powered-by');
  app.useGlobalFilters(new ProblemFilter());
  addHealth(app, name, { ...(bus ? busCheck(bus) : {}), ...checks, service: () => (draining ? 'it is stopping' : undefined) });
  try {
    await configure?.(app);
    if (bus) app.connectMicroservice({ strategy: new BusServer(bus, name, group) }, { inheritAppConfig: true });
    await app.startAllMicroservices();
    await app.listen(listen.port, listen.host);
  } catch (error) {
    await app.close().catch(() => undefined);
    throw listenFault(name, listen, error);
  }
  const server = app.getHttpServer();
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : listen.port;
  const close = async (): Promise<void> => {
    draining = true;
    await drain?.();
    await closeGently(app, server);
  };
  let closing: Promise<void> | undefined;
  return {
    name,
    url: `${tls ? 'https' : 'http'}://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`,
    app,
    server,
    close: () => (closing ??= close()),
  };
};

/** How its bus is, for whoever takes part in one that may have trouble; an empty record for a bus that has none. */
export const busCheck = (bus: Bus): Readonly<Record<string, Check>> => {
  if (bus.trouble === undefined) return {};
  return {
    bus: async () => {
      const trouble = await bus.trouble?.();
      const degraded = bus.degraded?.();
      return trouble ?? (degraded === undefined ? undefined : { degraded });
    },
  };
};

/** Every request runs as part of its service; one that brings a `traceparent` gets a span under it. */
const inServiceOf = (name: string, request: IncomingMessage, response: ServerResponse, next: () => void): void =>
  inService(name, () => {
    const parent = request.headers.traceparent;
    if (typeof parent !== 'string') return next();
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const answered = new Promise<void>((resolve) => response.once('close', resolve));
    const handle = (span: Span): Promise<void> => {
      next();
      return answered.then(() => void span.setAttribute('http.response.status_code', response.statusCode));
    };
    void inSpan(`${request.method} ${path}`, { 'http.request.method': request.method ?? '', 'url.path': path }, handle, {
      parent,
      kind: SpanKind.SERVER,
    });
  });

const closeGently = async (app: NestExpressApplication, server: HttpServer): Promise<void> => {
  server.closeIdleConnections();
  const forced = setTimeout(() => server.closeAllConnections(), FINISH_MS);
  await app.close();
  clearTimeout(forced);
};

const readable = (name: string, file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new Fault(
      'service.certificate-unreadable',
      `${name} cannot read ${file} (${codeOf(cause)}). Check the path and who may read it.`,
      { file },
      { cause },
    );
  }
};

/** What the operating system says when it will not let us listen, as a sentence for whoever started us. */
const listenFault = (name: string, { host, port }: Listen, cause: unknown): unknown => {
  const at = `${host}:${port}`;
  const fault = (code: string, why: string) => new Fault(code, `${name} cannot listen on ${at}: ${why}`, { host, port }, { cause });
  switch (codeOf(cause)) {
    case 'EADDRINUSE':
      return fault('service.port-taken', 'something else has that port. Stop it, or choose another port.');
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return fault('service.address-unknown', 'this machine has no such address. Choose one of its own.');
    case 'EACCES':
      return fault('service.address-forbidden', 'this user may not. Choose a port from 1024 on, or allow it (CAP_NET_BIND_SERVICE).');
    default:
      return cause;
  }
};

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException | null)?.code ?? 'unknown error');

const addHealth = (app: NestExpressApplication, name: string, checks: Readonly<Record<string, Check>>): void => {
  const answer = (res: ServerResponse, status: number, body: unknown) => {
    res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    res.end(JSON.stringify(body));
  };
  app.use('/healthz/live', (_req: IncomingMessage, res: ServerResponse) => answer(res, 200, { status: 'ok', service: name }));
  // Startup is over once the process listens at all: what is awaited at start is awaited before that.
  app.use('/healthz/startup', (_req: IncomingMessage, res: ServerResponse) => answer(res, 200, { status: 'ok', service: name }));
  app.use('/healthz/ready', async (_req: IncomingMessage, res: ServerResponse) => {
    const verdicts: [string, Verdict][] = [];
    for (const [dependency, check] of Object.entries(checks)) {
      verdicts.push([
        dependency,
        await Promise.resolve()
          .then(check)
          .catch((error: unknown) => String(error)),
      ]);
    }
    const said = (verdict: Verdict) => (typeof verdict === 'object' ? verdict.degraded : (verdict ?? 'ok'));
    const dependencies = Object.fromEntries(verdicts.map(([dependency, verdict]) => [dependency, said(verdict)]));
    const unready = verdicts.some(([, verdict]) => typeof verdict === 'string');
    const degraded = verdicts.some(([, verdict]) => typeof verdict === 'object');
    // Whoever is degraded still takes calls: nobody should be sent elsewhere.
    answer(res, unready ? 503 : 200, { status: unready ? 'unready' : degraded ? 'degraded' : 'ok', service: name, dependencies });
  });
  app.use('/version', (_req: IncomingMessage, res: ServerResponse) => answer(res, 200, { service: name, version: '0.1.0' }));
};
