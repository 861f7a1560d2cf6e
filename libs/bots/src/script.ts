import { z } from 'zod';
import { Refusal } from '@isthmus/kernel';

/**
 * Who talks when. One script drives bots, a browser's fake microphone and the expectation of what everybody should see, so
 * that acting and asserting cannot drift apart.
 */
export interface Turn {
  /** From the beginning of the script, ms. */
  readonly atMs: number;
  readonly forMs: number;
  /** A bot's name or its place in the cast, counted from 0. */
  readonly who: string;
}

export interface Script {
  readonly turns: readonly Turn[];
  /** From the beginning to the end of the last turn. */
  readonly lengthMs: number;
}

/** A script's text is small; a turn lasts long enough to take the floor and a meeting ends some day. */
const TURN_MS_MIN = 100;
const AT_MS_MAX = 24 * 3_600_000;
const TURNS_MAX = 10_000;

const turn = z.object({
  at: z
    .number()
    .min(0)
    .max(AT_MS_MAX / 1_000),
  who: z.union([z.string().trim().min(1).max(60), z.int().min(0).max(999).transform(String)]),
  for: z
    .number()
    .min(TURN_MS_MIN / 1_000)
    .max(AT_MS_MAX / 1_000),
});
const LINE = /^(?:at\s+)?(\d+(?:\.\d+)?)\s*s?\s*[:,]?\s+(.+?)\s+for\s+(\d+(?:\.\d+)?)\s*s?$/i;

/**
 * Reads a script. Either JSON, `[{ "at": 0, "who": "Ana Moreno", "for": 4 }, …]` (seconds), or a line per turn, which is
 * nicer to write: `4.5 Ben Okafor for 3`. Empty lines and what follows a `#` do not count.
 */
export const parseScript = (text: string): Script => {
  const items = text.trimStart().startsWith('[') ? json(text) : text.split('\n').flatMap((line, i) => lineOf(line, i + 1));
  const parsed = z.array(turn).max(TURNS_MAX).safeParse(items);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unreadable(`turn ${Number(issue?.path[0] ?? 0) + 1}: ${issue?.path.slice(1).join('.') ?? ''} ${issue?.message ?? 'is wrong'}`);
  }
  return scriptOf(
    parsed.data.map(({ at, who, for: seconds }) => ({ atMs: Math.round(at * 1_000), forMs: Math.round(seconds * 1_000), who })),
  );
};

/** A script from turns in any order. */
export const scriptOf = (turns: readonly Turn[]): Script => {
  if (turns.length === 0) throw unreadable('nobody says anything');
  return {
    turns: [...turns].sort((a, b) => a.atMs - b.atMs),
    lengthMs: Math.max(...turns.map(({ atMs, forMs }) => atMs + forMs)),
  };
};

/** Everybody once around, each for `forMs`, with a pause in between. */
export const roundOf = (who: readonly string[], { forMs = 4_000, pauseMs = 500 } = {}): Script =>
  scriptOf(who.map((name, i) => ({ atMs: i * (forMs + pauseMs), forMs, who: name })));

const unreadable = (why: string) =>
  new Refusal(
    'bots.script',
    `The speech script cannot be read: ${why}. Write a line per turn, such as "4.5 Ben Okafor for 3" (seconds), or JSON.`,
  );

const json = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : String(error));
  }
};

const lineOf = (line: string, number: number): unknown[] => {
  const told = line.replace(/#.*/, '').trim();
  if (told === '') return [];
  const match = LINE.exec(told);
  if (!match) throw unreadable(`line ${number} says "${told}"`);
  const [, at, who, seconds] = match;
  return [{ at: Number(at), who, for: Number(seconds) }];
};

export interface Performance {
  /** Resolves when the last turn is over (or the performance was stopped). */
  readonly over: Promise<void>;
  stop(): void;
}

export interface Speaker {
  readonly name: string;
  speak(forMs: number): void;
  quiet(): void;
}

/** Who is meant by a turn: a name, else a place in the cast. */
export const whoIs = <T extends { readonly name: string }>(cast: readonly T[], who: string): T => {
  const found = cast.find(({ name }) => name === who) ?? (/^\d+$/.test(who) ? cast[Number(who)] : undefined);
  if (!found)
    throw new Refusal(
      'bots.unknown-speaker',
      `The script lets "${who}" speak, but only these are here: ${cast.map(({ name }) => name).join(', ')}.`,
    );
  return found;
};

/** Lets the cast speak its turns. `repeat` begins again at the end, until stopped. */
export const perform = (
  script: Script,
  cast: readonly Speaker[],
  { repeat = false, onTurn }: { repeat?: boolean; onTurn?: (turn: Turn, speaker: Speaker) => void } = {},
): Performance => {
  const parts = script.turns.map((part) => ({ part, speaker: whoIs(cast, part.who) }));
  let timers: NodeJS.Timeout[] = [];
  let finish: () => void = () => {};
  const over = new Promise<void>((resolve) => (finish = resolve));
  const begin = (): void => {
    timers = parts.map(({ part, speaker }) =>
      setTimeout(() => {
        speaker.speak(part.forMs);
        onTurn?.(part, speaker);
      }, part.atMs),
    );
    timers.push(setTimeout(repeat ? begin : finish, script.lengthMs));
  };
  begin();
  return {
    over,
    stop() {
      timers.forEach(clearTimeout);
      for (const { speaker } of parts) speaker.quiet();
      finish();
    },
  };
};
