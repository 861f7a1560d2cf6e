import { z } from 'zod';
import type { Condition } from './delay-line.js';
import type { Bins, LinkCounts } from './link-meter.js';

const percent = z.number().min(0).max(100);
const milliseconds = z.number().min(0).max(60_000);
const ends = { from: z.string(), to: z.string(), oneWay: z.boolean().default(false) };

/**
 * What the relay can be asked, one JSON object a line over its UNIX socket; each is answered by one line
 * `{ id, result }` or `{ id, error }`. Unless `oneWay`, a change is for both directions.
 */
export const relayRequest = z.discriminatedUnion('do', [
  /** Everything counted since the start or the last `reset`. */
  z.strictObject({ id: z.int(), do: z.literal('stats') }),
  /** The last 100 ms bins of one direction. */
  z.strictObject({ id: z.int(), do: z.literal('bins'), from: z.string(), to: z.string(), count: z.int().min(1).max(1_199) }),
  z.strictObject({ id: z.int(), do: z.literal('reset') }),
  z.strictObject({ id: z.int(), do: z.literal('cut'), ...ends }),
  z.strictObject({
    id: z.int(),
    do: z.literal('shape'),
    ...ends,
    delayMs: milliseconds.optional(),
    jitterMs: milliseconds.optional(),
    lossPercent: percent.optional(),
  }),
  /** Back to perfect: one link, or all. */
  z.strictObject({
    id: z.int(),
    do: z.literal('heal'),
    from: z.string().optional(),
    to: z.string().optional(),
    oneWay: z.boolean().default(false),
  }),
]);
export type RelayRequest = z.infer<typeof relayRequest>;

export interface LinkStats extends LinkCounts {
  readonly from: string;
  readonly to: string;
  readonly condition: Condition;
}

export interface RelayStats {
  /** Wall clock, ms since 1970. */
  readonly atMs: number;
  readonly links: readonly LinkStats[];
}

export type RelayResult = RelayStats | Bins | Record<string, never>;
export type RelayAnswer = { readonly id: number; readonly result: RelayResult } | { readonly id: number; readonly error: string };
