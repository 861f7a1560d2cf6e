import { z } from 'zod';

/** What a part of the demo (management, a site, the relay) says to whoever started it, over Node's channel between processes. */
export const fromPart = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), facts: z.record(z.string(), z.unknown()) }),
  /** It could not start; one sentence for the person in front of it. */
  z.object({ type: z.literal('failed'), message: z.string() }),
  z.object({ type: z.literal('answer'), id: z.int(), value: z.unknown().optional(), error: z.string().optional() }),
]);
export type FromPart = z.infer<typeof fromPart>;

export const toPart = z.object({ type: z.literal('ask'), id: z.int(), what: z.string(), about: z.string() });
export type ToPart = z.infer<typeof toPart>;
