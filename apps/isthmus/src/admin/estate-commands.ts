import { z } from 'zod';
import { say, untilDrained, type DrainFlags, type RemoveFlags } from './draining.js';
import { asAdministrator, type Ask, type PortalFlags } from './management-client.js';

const joinCommand = z.object({ command: z.string(), expiresAt: z.string() });
const listed = z.object({ items: z.array(z.object({ id: z.string() })) });

export interface SiteFlags extends PortalFlags {
  readonly name?: string;
  /** Of the machine, for other sites. */
  readonly address: string;
  /** What people call it, if not that. */
  readonly clientAddress?: string;
  readonly port: number;
}

const SITE_ID = (id: string): string => `/v1/sites/${encodeURIComponent(id)}`;

/** Puts a site on the list (or what is there already right), and prints what to type on its machine. */
export const addSite = (id: string, { name, address, clientAddress = address, port, ...portal }: SiteFlags): Promise<void> =>
  asAdministrator(portal, async (ask) => {
    const scheme = isLoopback(clientAddress) ? 'http' : 'https';
    const wanted = { meetUrl: `${scheme}://${inUrl(clientAddress)}:${port}`, linkUrl: `wss://${inUrl(address)}:${port + 1}` };
    const known = listed.parse(await ask('GET', '/v1/sites')).items.some((site) => site.id === id);
    if (known) await ask('PATCH', SITE_ID(id), { ...wanted, ...(name === undefined ? {} : { name }) });
    else await ask('POST', '/v1/sites', { id, name: name ?? id.toUpperCase(), ...wanted });
    tell(`site ${id}`, await ask('POST', `${SITE_ID(id)}/enrolment-tokens`));
  });

export interface NodeFlags extends PortalFlags {
  readonly node?: string;
  readonly address: string;
  readonly clientAddress?: string;
  readonly port: number;
}

/** Prints what to type on the machine that is to be one more media node of a site. */
export const addNode = (
  site: string,
  { node = `${site}-${Date.now().toString(36)}`, address, clientAddress, port, ...portal }: NodeFlags,
): Promise<void> =>
  asAdministrator(portal, async (ask) => {
    const wish = { node, address, port, ...(clientAddress === undefined ? {} : { clientAddress }) };
    tell(`node ${node} of site ${site}`, await ask('POST', `${SITE_ID(site)}/node-tokens`, wish));
  });

const siteNow = z.object({ name: z.string(), drained: z.boolean(), participants: z.number().nullable() });

/** Has a site's people asked to go to another site, lets nobody new in there, and waits until nobody is in. */
export const drainSite = (id: string, { within, ...portal }: DrainFlags): Promise<void> =>
  asAdministrator(portal, (ask) => emptied(ask, id, within));

export const undrainSite = (id: string, portal: PortalFlags): Promise<void> =>
  asAdministrator(portal, async (ask) => {
    await ask('PATCH', SITE_ID(id), { draining: false });
    say(`Site ${id} takes people again.`);
  });

/** @throws Fault `site.not-drained` when people are there still after so many seconds; it stays draining */
const emptied = async (ask: Ask, id: string, withinS: number): Promise<void> => {
  await ask('PATCH', SITE_ID(id), { draining: true });
  const progress = async (): Promise<string | undefined> => {
    const { name, drained, participants } = siteNow.parse(await ask('GET', SITE_ID(id)));
    if (drained) return undefined;
    if (participants === null) return `Nothing is heard of ${name} right now. If it is gone for good, remove it with --now.`;
    return `${name} has ${participants === 1 ? 'one participant' : `${participants} participants`}.`;
  };
  await untilDrained(progress, withinS, 'site.not-drained');
  say(`Site ${id} is drained: nobody is in a meeting there.`);
};

/** Takes a site off the list for good, when its people have gone, or now: what is left of them is written off. */
export const removeSite = (id: string, { within, now, ...portal }: RemoveFlags): Promise<void> =>
  asAdministrator(portal, async (ask) => {
    if (!now) await emptied(ask, id, within);
    await ask('DELETE', SITE_ID(id));
    say(`Site ${id} is no part of the deployment any more.`);
  });

/** The command alone goes to standard output. */
const tell = (what: string, answer: unknown): void => {
  const { command, expiresAt } = joinCommand.parse(answer);
  process.stderr.write(`To make a machine ${what}, type this there, in a checkout of this version of Isthmus, before ${expiresAt}:\n\n`);
  process.stdout.write(`${command}\n`);
};

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\./.test(host);
const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);
