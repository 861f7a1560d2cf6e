import { relative } from 'node:path';
import { styleText } from 'node:util';
import type { DemoPlan } from './plan.js';

export interface TableFacts {
  readonly plan: DemoPlan;
  readonly administrator: string;
  /** Undefined: it was shown at the first start, and may have been changed since. */
  readonly password: string | undefined;
  readonly passwordFile: string;
  readonly statePath: string;
  readonly alias: string;
  readonly authority: { readonly url: string; readonly fingerprint: string } | undefined;
}

/** What somebody who just typed `npm start` needs to know, and nothing else. */
export const demoTable = (facts: TableFacts): string => {
  const { plan, administrator, password, passwordFile, statePath, alias, authority } = facts;
  const { portalUrl } = plan.management;
  const rows: (readonly [string, string])[] = [
    ['Portal', portalUrl],
    [
      'Sign in as',
      `${administrator}, ${password === undefined ? `with your password (the first one is in ${shortPath(passwordFile)})` : `one-time password ${password}`}`,
    ],
    ['API documentation', `${portalUrl}/docs`],
    ...plan.sites.map(({ name, meetUrl }) => [`Meet in ${name}`, `${meetUrl}/r/${alias}`] as const),
    ['State is kept in', shortPath(statePath)],
  ];
  if (authority) {
    rows.push(['Authority to trust', authority.url], ['  its SHA-256', authority.fingerprint], ['Ports to open', openPorts(plan)]);
  }
  const width = Math.max(...rows.map(([title]) => title.length));
  const lines = rows.map(([title, value]) => `  ${styleText('dim', title.padEnd(width), { stream: process.stdout })}  ${value}`);
  return ['', `Isthmus is running: ${counted(plan.sites.length, 'site')}, ${counted(nodesOf(plan), 'media node')}.`, '', ...lines, ''].join(
    '\n',
  );
};

/** As somebody would type it here. */
const shortPath = (path: string): string => {
  const fromHere = relative(process.cwd(), path);
  return fromHere === '' || fromHere.startsWith('..') ? path : fromHere;
};

const nodesOf = ({ sites }: DemoPlan): number => sites.reduce((sum, { ports }) => sum + ports.nodes.length, 0);

/** What another machine needs to reach; links between sites are not among them. */
const openPorts = ({ management, sites }: DemoPlan): string => {
  const tcp = [
    management.portalPort,
    management.authorityPort,
    ...sites.flatMap(({ ports }) => [ports.meet, ...ports.nodes.map(({ client }) => client)]),
  ];
  const both = sites.flatMap(({ ports }) => ports.nodes.map(({ webRtc }) => webRtc));
  return `TCP ${tcp.join(', ')}; UDP and TCP ${both.join(', ')}`;
};

const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;
