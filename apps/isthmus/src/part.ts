import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { z } from 'zod';
import { Fault, IsthmusError } from '@isthmus/kernel';
import { toPart, type FromPart } from './part-protocol.js';

/** A part that runs: what its starter wants to know of it, and what it can be asked. */
export interface RunningPart {
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly answers?: Readonly<Record<string, (about: string) => Promise<unknown>>>;
  close(): Promise<void>;
}

/** Closing that takes longer than this is not gentle any more; whoever waits for us would not wait longer either. */
const CLOSE_MS = 4_000;

/**
 * The life of one process of Isthmus: start, say so, stop on SIGTERM or SIGINT, or when whoever started it is gone (so that
 * nothing stays behind, however that one ended). By hand it is the same, without the channel.
 */
export const runPart = async (name: string, start: () => Promise<RunningPart>): Promise<void> => {
  const log = plainLog(name);
  process.on('unhandledRejection', (error) => {
    log.fatal({ error }, 'unhandled rejection');
    process.exit(70);
  });
  let part: RunningPart | undefined;
  let stopping = false;
  const stop = (why: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ why }, 'stopping');
    setTimeout(() => process.exit(1), CLOSE_MS).unref();
    Promise.resolve(part?.close()).then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ error }, 'did not close cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('disconnect', () => stop('whoever started this has gone'));
  try {
    part = await start();
    log.info(part.facts ?? {}, 'ready');
    answerQuestions(part);
    tell({ type: 'ready', facts: { ...part.facts } });
  } catch (error) {
    log.fatal({ error }, 'could not start');
    const message = error instanceof IsthmusError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (process.connected) tell({ type: 'failed', message });
    else process.stderr.write(`${message}\n`);
    process.exitCode = 1;
    setTimeout(() => process.exit(1), 100);
  }
};

/** As services log, but without what services are made of: the relay and the command line should start in no time. */
const plainLog = (service: string) => {
  const write = (level: string) => (fields: object, msg: string) => {
    const { error, ...rest } = fields as { error?: unknown };
    const said = error === undefined ? {} : { error: inspect(error) };
    process.stdout.write(`${JSON.stringify({ level, time: new Date().toISOString(), service, ...rest, ...said, msg })}\n`);
  };
  return { info: write('info'), error: write('error'), fatal: write('fatal') };
};

const tell = (message: FromPart): void => void (process.connected && process.send?.(message));

const answerQuestions = ({ answers = {} }: RunningPart): void => {
  process.on('message', (raw) => {
    const question = toPart.safeParse(raw);
    if (!question.success) return;
    const { id, what, about } = question.data;
    const answer = answers[what] ?? (() => Promise.reject(new Error(`nobody here can answer "${what}"`)));
    answer(about).then(
      (value) => tell({ type: 'answer', id, value }),
      (error: unknown) => tell({ type: 'answer', id, error: error instanceof Error ? error.message : String(error) }),
    );
  });
};

/** @throws Fault `config.invalid` that names every mistake */
export const readPartConfig = <T>(schema: z.ZodType<T>, file: string): T => {
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Fault(
      'config.invalid',
      `The configuration ${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
      {},
      { cause },
    );
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new Fault('config.invalid', `The configuration ${file} is not right:\n${z.prettifyError(parsed.error)}`);
};
