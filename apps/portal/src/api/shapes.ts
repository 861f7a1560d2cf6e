import { z } from 'zod';

/** What the portal reads of REST `/v1`; what it does not use it does not ask for, so that the service may say more. */

export const session = z.object({
  administrator: z.object({ id: z.string(), name: z.string() }),
  mustChangePassword: z.boolean(),
  /** A demo, whose links may be cut. */
  demo: z.boolean().default(false),
});
export type Session = z.infer<typeof session>;

export const room = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  aliases: z.array(z.string()),
  hostPinSet: z.boolean(),
  guestPinSet: z.boolean(),
  guestsWaitForHost: z.boolean(),
  seatsMax: z.number(),
  disabled: z.boolean(),
});
export type Room = z.infer<typeof room>;

export const rooms = z.object({ items: z.array(room), next: z.string().nullable(), total: z.number() });

/** What one may want of a room. A PIN: digits sets it, null takes it away, left out leaves it. */
export interface RoomWish {
  name: string;
  description: string;
  aliases: string[];
  hostPin?: string | null;
  guestPin?: string | null;
  guestsWaitForHost: boolean;
  seatsMax: number;
  disabled: boolean;
}

export const waysToJoin = z.object({
  aliases: z.array(z.string()),
  hostPinSet: z.boolean(),
  guestPinSet: z.boolean(),
  links: z.array(z.object({ site: z.string(), siteName: z.string(), alias: z.string(), url: z.string() })),
});
export type WaysToJoin = z.infer<typeof waysToJoin>;

export const site = z.object({
  id: z.string(),
  name: z.string(),
  meetUrl: z.string(),
  draining: z.boolean(),
  drained: z.boolean(),
  configurationVersion: z.number().nullable(),
  upToDate: z.boolean(),
  lastSeenAt: z.string().nullable(),
});
export type Site = z.infer<typeof site>;
export const sites = z.object({ items: z.array(site), configurationVersion: z.number() });

export const administrator = z.object({ id: z.string(), name: z.string(), mustChangePassword: z.boolean() });
export type Administrator = z.infer<typeof administrator>;
export const administrators = z.object({ items: z.array(administrator) });

export const demoLinks = z.object({ items: z.array(z.object({ from: z.string(), to: z.string(), cut: z.boolean() })) });
/** `to` left out: all links of `from`; `from` left out too: all links. */
export interface DemoLinkWish {
  from?: string;
  to?: string;
  cut: boolean;
  oneWay?: boolean;
}
