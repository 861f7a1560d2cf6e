import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { categoryOf, isFact, Refusal, siteOfStream, verify, type Fact, type FactHash } from '@isthmus/kernel';
import type { Credentials } from '@isthmus/peers-http';
import { estateWord, type EstateWord } from '@isthmus/protocol';
import { malformed, managementAt, type Management } from './management.js';

export interface FollowEstateOptions {
  /** Management's door for sites: `https://127.0.0.10:7001`. */
  readonly url: string;
  readonly credentials: Credentials | (() => Credentials);
  /** How many facts of the estate are here already, and which is the last of them. */
  readonly after: number;
  readonly last?: FactHash | undefined;
  /** The revision that this site goes by now; management shows it as the site's configuration version. */
  readonly applied: () => number;
  readonly signal: AbortSignal;
  /** Called with management's word on the facts that come next, which others may be shown. */
  readonly word?: ((word: EstateWord) => void) | undefined;
  /** Called when the line fails, and with undefined when it is good again. */
  readonly trouble?: (error: unknown) => void;
}

/** How long management may hold a question open; short, so that a line that was cut in silence is noticed. */
const WAIT_MS = 5_000;
/** How soon to ask again while what came last is not applied yet, so that management learns of it. */
const SOON_MS = 200;
const GRACE_MS = 3_000;
const BACKOFF_MS = { first: 100, most: 2_000 };

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const answer = z.object({ facts: z.array(z.custom<Fact>((it) => isFact(it))), revision: z.int().min(0), word: estateWord.optional() });

/**
 * Management's facts after the first `after`, in order, then live, until aborted. Each batch is handed out when the one
 * before it is dealt with. Goes on through every failure: a site keeps its copy and catches up (S3, S9).
 */
export async function* followEstate(options: FollowEstateOptions): AsyncGenerator<readonly Fact[], void, undefined> {
  const { url, credentials, applied, signal, trouble, word: tell } = options;
  const management = managementAt(url, typeof credentials === 'function' ? credentials : () => credentials);
  let cursor: Cursor = { after: options.after, last: options.last };
  let failures = 0;
  try {
    while (!signal.aborted) {
      try {
        const { facts, word } = await newsAfter(management, cursor, applied(), signal);
        if (failures > 0) trouble?.(undefined);
        failures = 0;
        cursor = { after: cursor.after + facts.length, last: facts.at(-1)?.hash ?? cursor.last };
        if (word !== undefined) tell?.(word);
        if (facts.length > 0) yield facts;
      } catch (error) {
        if (signal.aborted) return;
        // Management was restored from a backup and has not what we have. Take all it has: that is the estate (ADR 0054).
        if (error instanceof Refusal && error.code === 'estate.ahead') cursor = { after: 0, last: undefined };
        if (failures === 0) trouble?.(error);
        await backOff(failures++, signal);
      }
    }
  } finally {
    management.close();
  }
}

/** How far management's facts are here, as management counts them, by its own hash. */
interface Cursor {
  readonly after: number;
  readonly last: FactHash | undefined;
}

const newsAfter = async (
  management: Management,
  { after, last }: Cursor,
  applied: number,
  signal: AbortSignal,
): Promise<z.infer<typeof answer>> => {
  const waitMs = applied < after ? SOON_MS : WAIT_MS;
  const path = `/estate/v1/facts?after=${after}&applied=${applied}&wait=${waitMs}${last === undefined ? '' : `&last=${last}`}`;
  const parsed = answer.safeParse(await management.ask({ method: 'GET', path, deadlineMs: waitMs + GRACE_MS, signal }));
  if (!parsed.success) throw malformed('not facts', parsed.error);
  const { facts } = parsed.data;
  const foreign = facts.find(
    (fact) => categoryOf(fact.stream) !== 'estate' || siteOfStream(fact.stream) !== 'management' || !verify(fact, sha256),
  );
  if (foreign) throw malformed(`fact ${foreign.seq} of ${foreign.stream} is not what its hash says, or not of the estate`);
  return parsed.data;
};

const backOff = async (failures: number, signal: AbortSignal): Promise<void> => {
  const most = Math.min(BACKOFF_MS.first * 2 ** Math.min(failures, 10), BACKOFF_MS.most);
  await sleep(most * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
};
