import type { LoggerService } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { pino, type Logger as PinoLogger } from 'pino';
import { redact } from './redact.js';
import { currentService } from './trace.js';

/** What a service writes with: one JSON object per line on standard output, `service` and, within a trace, `trace_id` in each. */
export type Log = PinoLogger;

/** `ISTHMUS_LOG_LEVEL`: trace, debug, info, warn, error, silent. */
const level = (): string => {
  const wanted = process.env['ISTHMUS_LOG_LEVEL'] ?? 'info';
  return wanted === 'silent' || wanted in pino.levels.values ? wanted : 'info';
};

let root: PinoLogger | undefined;

/** The log of one service. What is secret by its field's name is redacted on the way; secrets in prose are the writer's fault. */
export const logOf = (service: string): Log => (root ??= makeLog(pino.destination({ dest: 1, sync: true }))).child({ service });

/** A log that writes elsewhere than standard output. */
export const makeLog = (destination: { write(line: string): void }): Log =>
  pino(
    {
      level: level(),
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: (fields) => redact(fields) as Record<string, unknown> },
      serializers: { err: redact, error: redact },
      mixin: () => {
        const span = trace.getActiveSpan()?.spanContext();
        return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
      },
    },
    destination,
  );

/** What Nest itself has to say about routes and modules: nobody asks for it at info. */
const NEST_ITSELF = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication', 'NestMicroservice']);

/** Lets Nest, and whoever uses Nest's `Logger`, write to our log. Nest has one logger per process, so the service is found per line. */
export const nestLog = (otherwise: string): LoggerService => {
  const write =
    (level: 'info' | 'warn' | 'error' | 'debug' | 'trace' | 'fatal') =>
    (message: unknown, ...rest: unknown[]): void => {
      const log = logOf(currentService() ?? otherwise);
      const context = typeof rest.at(-1) === 'string' ? (rest.at(-1) as string) : undefined;
      const stack = rest.length > 1 && typeof rest[0] === 'string' ? rest[0] : undefined;
      const fields = { ...(context ? { context } : {}), ...(stack ? { stack } : {}) };
      const quiet = level === 'info' && context !== undefined && NEST_ITSELF.has(context) ? 'debug' : level;
      if (message instanceof Error) log[quiet]({ ...fields, error: message }, message.message);
      else if (typeof message === 'object') log[quiet]({ ...fields, ...message });
      else log[quiet](fields, `${message as string | number | boolean}`);
    };
  return {
    log: write('info'),
    error: write('error'),
    warn: write('warn'),
    debug: write('debug'),
    verbose: write('trace'),
    fatal: write('fatal'),
  };
};
