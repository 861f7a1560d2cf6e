import { z } from 'zod';
import { common } from '@isthmus/protocol';

/** What each kind of process is told when it starts, in a file that only its owner reads. */

const port = z.int().min(0).max(65_535);
const folder = z.string().min(1);
const tls = z.strictObject({ certFile: z.string(), keyFile: z.string() });

export const placeConfig = z.strictObject({
  id: z.string().min(1),
  host: z.string().min(1),
  index: z.int().min(0).max(254),
  tcpPorts: z.array(port).readonly(),
  udpPorts: z.strictObject({ from: port, to: port }),
});

export const relayConfig = z.strictObject({ places: z.array(placeConfig).min(1).readonly(), controlPath: z.string().min(1) });
export type RelayConfig = z.infer<typeof relayConfig>;

export const managementConfig = z.strictObject({
  /** Where sites reach it. */
  host: z.string(),
  sitePort: port,
  /** Where people reach it. */
  clientHost: z.string(),
  portalPort: port,
  telemetryPort: port,
  tls: tls.optional(),
  /** Hands out this certificate over plain HTTP, for people to compare and trust. */
  authority: z.strictObject({ file: z.string(), port }).optional(),
  stateDir: folder,
  /** Made at the first start. */
  firstAdministrator: z.strictObject({ name: z.string(), password: z.string() }),
  /** In a demo: the socket of the relay, whose links the portal may cut. A real deployment has none. */
  relayControl: z.string().optional(),
  /** There from the start. */
  sites: z.array(z.strictObject({ id: common.siteId, name: z.string(), meetUrl: z.string(), linkUrl: z.string() })),
  rooms: z.array(z.strictObject({ name: z.string(), description: z.string(), aliases: z.array(z.string()) })),
});
export type ManagementConfig = z.infer<typeof managementConfig>;

const nodePorts = z.strictObject({ client: port, mediaLink: port, webRtc: port, crossings: z.strictObject({ from: port, to: port }) });

export const siteConfig = z.strictObject({
  site: common.siteId,
  name: z.string(),
  /** For links, crossings and health. */
  host: z.string(),
  /** For clients; announced to them in ICE, too. */
  clientHost: z.string(),
  tls: tls.optional(),
  ports: z.strictObject({
    meet: port,
    brainLink: port,
    registrar: port,
    telemetry: port,
    brainHealth: port,
    /** Where media nodes that are processes of their own take part in the site's bus; left out, none can. */
    bus: port.optional(),
    /** Media nodes within this process. */
    nodes: z.array(nodePorts).readonly(),
  }),
  /** Legs that each node takes. */
  capacity: z.int().min(1),
  stateDir: folder,
  management: z.strictObject({
    url: z.string(),
    caFingerprint: z.string(),
    /** Good once; not needed any more when the site has its certificate. */
    token: z.string().optional(),
  }),
  /** All places of the relay between the sites; left out, sites reach each other directly. */
  relay: z.array(placeConfig).readonly().optional(),
});
export type SiteConfig = z.infer<typeof siteConfig>;

/** A media node as a process of its own, beside the one that has the rest of the site. */
export const mediaNodeConfig = z.strictObject({
  site: common.siteId,
  node: common.nodeId,
  /** For links and crossings. */
  host: z.string(),
  /** For clients; announced to them in ICE, too. */
  clientHost: z.string(),
  tls: tls.optional(),
  ports: nodePorts,
  /** Legs that it takes. */
  capacity: z.int().min(1),
  /** Where its certificate is: its own, or its site's. */
  credentials: folder,
  /** `wss://host:port` of its site's bus. */
  bus: z.string(),
  relay: z.array(placeConfig).readonly().optional(),
});
export type MediaNodeConfig = z.infer<typeof mediaNodeConfig>;

/** Where a site keeps the certificate that it got when it enrolled, within its folder. */
export const CREDENTIALS_FOLDER = 'credentials';
