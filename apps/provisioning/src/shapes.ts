import { z } from 'zod';
import { ALIASES_MAX, PASSWORD_MAX, PASSWORD_MIN, SEATS_DEFAULT, SEATS_MAX } from '@isthmus/estate';
import { common, status } from '@isthmus/protocol';

/** What the REST API takes and gives. Each shape is validated by, and documented from, the same schema. */

const name = z.string().trim().min(1).max(100).describe('What people call it.');
const aliases = z
  .array(z.string().trim().toLowerCase().min(1).max(320))
  .max(ALIASES_MAX)
  .describe('Names it can be dialled by; unique in the estate.');
const pin = z
  .string()
  .regex(/^[0-9]{4,20}$/, 'A PIN has 4 to 20 digits')
  .nullable()
  .describe('4 to 20 digits; null takes the PIN away. Never shown again: only its hash is kept.');
const seatsMax = z.int().min(1).max(SEATS_MAX);
const description = z.string().trim().max(500);
const url = z.string().trim().max(300);

export const newRoom = z.strictObject({
  name,
  description: description.default(''),
  aliases: aliases.default([]),
  hostPin: pin.default(null),
  guestPin: pin.default(null),
  guestsWaitForHost: z.boolean().default(false).describe('Guests wait until a host is there.'),
  seatsMax: seatsMax.default(SEATS_DEFAULT),
  disabled: z.boolean().default(false).describe('Nobody gets in, and whoever is in is put out.'),
});
export type NewRoom = z.infer<typeof newRoom>;

export const roomPatch = z
  .strictObject({
    name,
    description,
    aliases,
    hostPin: pin,
    guestPin: pin,
    guestsWaitForHost: z.boolean(),
    seatsMax,
    disabled: z.boolean(),
  })
  .partial()
  .describe('Only what is given changes.');
export type RoomPatch = z.infer<typeof roomPatch>;

export const room = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  aliases: z.array(z.string()),
  hostPinSet: z.boolean(),
  guestPinSet: z.boolean(),
  guestsWaitForHost: z.boolean(),
  seatsMax: z.int(),
  disabled: z.boolean(),
  revision: z.int().describe('Configuration version at which it last changed; the ETag.'),
});

export const page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(600).optional().describe('`next` of the page before.'),
  search: z.string().trim().max(100).optional().describe('Part of a name or an alias.'),
});
export type Page = z.infer<typeof page>;

export const rooms = z.object({ items: z.array(room), next: z.string().nullable(), total: z.int() });

export const pinWish = z.strictObject({ role: z.enum(['host', 'guest']), digits: z.int().min(4).max(20).default(6) });
export type PinWish = z.infer<typeof pinWish>;
export const pinMade = z.object({ role: z.enum(['host', 'guest']), pin: z.string().describe('Shown this once.') });

export const waysToJoin = z.object({
  room: z.string(),
  aliases: z.array(z.string()),
  hostPinSet: z.boolean(),
  guestPinSet: z.boolean(),
  links: z.array(z.object({ site: z.string(), siteName: z.string(), alias: z.string(), url: z.string() })),
});

export const credentials = z.strictObject({ name: z.string().min(1).max(100), password: z.string().min(1).max(PASSWORD_MAX) });
export type Credentials = z.infer<typeof credentials>;
export const session = z.object({
  administrator: z.object({ id: z.string(), name: z.string() }),
  mustChangePassword: z.boolean().describe('Until it is changed, only that, signing out and looking here are allowed.'),
  demo: z.boolean().describe('This deployment is a demo, whose links can be cut.'),
});
export const passwordChange = z.strictObject({
  current: z.string().min(1).max(PASSWORD_MAX),
  next: z.string().min(PASSWORD_MIN).max(PASSWORD_MAX),
});
export type PasswordChange = z.infer<typeof passwordChange>;

export const newAdministrator = z.strictObject({
  name,
  password: z.string().min(PASSWORD_MIN).max(PASSWORD_MAX).describe('To be changed at the first sign-in.'),
});
export type NewAdministrator = z.infer<typeof newAdministrator>;
export const newPasswordFor = z.strictObject({
  password: z.string().min(PASSWORD_MIN).max(PASSWORD_MAX).describe('To be changed at the next sign-in.'),
});
export type NewPasswordFor = z.infer<typeof newPasswordFor>;
export const administrator = z.object({ id: z.string(), name: z.string(), mustChangePassword: z.boolean() });
export const administrators = z.object({ items: z.array(administrator) });

export const newSite = z.strictObject({
  id: common.siteId.describe('Lower-case letters, digits and _; cannot be changed.'),
  name,
  meetUrl: url.describe('Where people of this site open meetings, `https://meet.lon.example`.'),
  linkUrl: url.describe('Where other sites link to it, `wss://lon.example:7201`.'),
});
export type NewSite = z.infer<typeof newSite>;
const transit = z
  .boolean()
  .describe('False: media between other sites do not pass through this one, also where those do not hear each other.');
const draining = z.boolean().describe('Nobody new comes in there, and who is there is asked to go to another site.');
export const sitePatch = z.strictObject({ name, meetUrl: url, linkUrl: url, transit, draining }).partial();
export type SitePatch = z.infer<typeof sitePatch>;
export const site = z.object({
  id: z.string(),
  name: z.string(),
  meetUrl: z.string(),
  linkUrl: z.string(),
  transit: transit.optional(),
  draining,
  drained: z.boolean().describe('Draining, and nobody is in a meeting there any more: it may be removed.'),
  participants: z.int().nullable().describe('Who is in meetings there now; null while nothing is heard of it.'),
  configurationVersion: z.int().nullable().describe('What the site last said it goes by; null if it never did since management started.'),
  upToDate: z.boolean(),
  lastSeenAt: z.iso.datetime().nullable(),
});
export const sites = z.object({ items: z.array(site), configurationVersion: z.int() });
const host = z
  .string()
  .trim()
  .max(255)
  .regex(/^[a-zA-Z0-9.:_-]+$/, 'An address or a name, without a port');
export const nodeWish = z.strictObject({
  node: common.nodeId.describe('Begins with the site and a dash: `lon-2`.'),
  address: host.describe('Where other nodes reach the machine.'),
  clientAddress: host.optional().describe('Where people reach it, if not there.'),
  port: z.int().min(1_024).max(65_000).optional().describe('The first of its ports; 90 are used.'),
});
export type NodeWish = z.infer<typeof nodeWish>;
const join = {
  site: z.string(),
  node: z.string().nullable(),
  ticket: z.string().describe('All that the machine needs to know, signed by management.'),
  command: z.string().describe('To be typed on the machine, in a checkout of this version.'),
  expiresAt: z.iso.datetime(),
};
export const joinCommand = z.object(join);
export const enrolmentToken = z.object({
  ...join,
  token: z.string().describe('Good for one machine, once. Shown this once.'),
  caFingerprint: z.string().describe("SHA-256 of management's authority, to check whom one enrols with."),
});

const nodeStatus = status.shape.sites.element.shape.nodes.element.shape;
export const node = z.object({
  ...nodeStatus,
  site: z.string(),
  draining: nodeStatus.draining.describe('Nobody new comes there, and who is there is given another node of the site.'),
  drained: nodeStatus.drained.describe('Draining, and nobody is there any more: it may be stopped or removed.'),
});
export const nodes = z.object({ items: z.array(node) });
export const nodePatch = z.strictObject({
  draining: z.boolean().describe('True: move its people to other nodes of the site, and let nobody new onto it. False: use it again.'),
});
export type NodePatch = z.infer<typeof nodePatch>;
export const nodeRemoval = z.strictObject({
  now: z.enum(['true', 'false']).default('false').describe('`true`: also while people are there, or nothing is heard of it.'),
});
export type NodeRemoval = z.infer<typeof nodeRemoval>;

export const demoLinks = z.object({ items: z.array(z.object({ from: z.string(), to: z.string(), cut: z.boolean() })) });

export const demoLinkWish = z
  .strictObject({
    from: z.string().max(32).optional().describe('A site; left out: all links.'),
    to: z.string().max(32).optional().describe('The other site; left out: all links of `from`.'),
    cut: z.boolean().describe('True cuts, false heals.'),
    oneWay: z.boolean().default(false).describe('Only what `from` sends.'),
  })
  .refine(({ from, to, cut, oneWay }) => from !== undefined || (to === undefined && !cut && !oneWay), {
    path: ['from'],
    message: 'Name the site whose links are meant; only healing may be meant for all.',
  })
  .refine(({ from, to }) => from === undefined || from !== to, { path: ['to'], message: 'A link is between two sites.' });
export type DemoLinkWish = z.infer<typeof demoLinkWish>;

export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('What, why, and what next; for a person.'),
  code: z.string().describe('Stable; for a machine.'),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

/** By the names they have in the OpenAPI document. */
export const SHAPES = {
  NewRoom: newRoom,
  RoomPatch: roomPatch,
  Room: room,
  Rooms: rooms,
  PinWish: pinWish,
  PinMade: pinMade,
  WaysToJoin: waysToJoin,
  Credentials: credentials,
  Session: session,
  PasswordChange: passwordChange,
  NewAdministrator: newAdministrator,
  NewPassword: newPasswordFor,
  Administrator: administrator,
  Administrators: administrators,
  NewSite: newSite,
  SitePatch: sitePatch,
  Site: site,
  Sites: sites,
  EnrolmentToken: enrolmentToken,
  NodeWish: nodeWish,
  JoinCommand: joinCommand,
  Node: node,
  Nodes: nodes,
  NodePatch: nodePatch,
  Status: status,
  DemoLinks: demoLinks,
  DemoLinkWish: demoLinkWish,
  Problem: problem,
} as const;
export type ShapeName = keyof typeof SHAPES;
