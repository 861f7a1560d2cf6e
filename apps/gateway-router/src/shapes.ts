import { z } from 'zod';
import { Fault } from '@isthmus/kernel';
import { common, nodeWords, type BrainAnswer, type ViewPublished } from '@isthmus/protocol';
import type { Estate } from '@isthmus/estate';

/** What the brain says on the bus, checked on arrival as everything that crosses a process border is. */
const { conferenceId, legId, personId, siteId, version } = common;

const role = z.enum(['host', 'guest']);
const media = z.object({ url: z.string().min(1), token: z.string().min(1) });
const person = { leg: legId, person: personId, name: z.string(), site: siteId };
const view = z.object({
  conference: conferenceId,
  room: z.string(),
  site: siteId,
  version,
  started: z.boolean(),
  locked: z.boolean(),
  seats: z.array(
    z.object({
      ...person,
      role,
      muted: z.union([z.literal(false), z.enum(['self', 'host'])]),
      cameraOff: z.boolean(),
      held: z.boolean(),
      heldFor: z.enum(['lock', 'pin']).exactOptional(),
      inReach: z.boolean(),
      from: legId.exactOptional(),
    }),
  ),
  waiting: z.array(z.object({ ...person, reason: z.enum(['host', 'lock']) })),
  byRecency: z.array(legId),
  floor: legId.nullable(),
  besides: z.array(z.object({ sites: z.array(siteId) })).exactOptional(),
});

export const viewPublished: z.ZodType<ViewPublished> = z.object({
  view,
  ended: z.array(z.object({ leg: legId, reason: z.enum(['left', 'removed', 'ended', 'replaced', 'rejected', 'room-disabled']) })),
  attach: z.array(z.object({ leg: legId, media })),
  notices: z.array(z.object({ leg: legId, code: z.string(), message: z.string() })),
});

export const brainAnswer: z.ZodType<BrainAnswer> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('Joined'), leg: legId, conference: z.string(), role, resume: z.string(), media, view }),
  z.object({ type: z.literal('Waiting'), leg: legId, conference: z.string(), reason: z.enum(['host', 'lock']), resume: z.string(), view }),
  z.object({ type: z.literal('Recalled'), role, connect: z.int() }),
  z.object({ type: z.literal('Done') }),
]);

const hash = z.string().startsWith('$argon2id$').nullable();
const room = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  aliases: z.array(z.string()),
  hostPinHash: hash,
  guestPinHash: hash,
  guestsWaitForHost: z.boolean(),
  seatsMax: z.int(),
  disabled: z.boolean(),
});
const site = z.object({ id: siteId, name: z.string(), meetUrl: z.string(), linkUrl: z.string(), draining: z.boolean().exactOptional() });
export const estate: z.ZodType<Estate> = z.object({
  revision: z.int(),
  generation: z.int().exactOptional(),
  rooms: z.record(z.string(), room),
  sites: z.record(z.string(), site),
  nodes: nodeWords.exactOptional(),
  pins: z.record(z.string(), z.object({ host: z.int(), guest: z.int() })).exactOptional(),
});

/** @throws Fault `bus.malformed`: another service and this one do not speak the same version. */
export const checked = <T>(schema: z.ZodType<T>, value: unknown, what: string): T => {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  throw new Fault('bus.malformed', `This is no ${what}: ${issue?.path.join('.')}: ${issue?.message}`);
};
