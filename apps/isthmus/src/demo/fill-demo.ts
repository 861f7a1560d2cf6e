import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '@isthmus/kernel';
import { fillRoom, parseScript } from '@isthmus/bots';
import type { FillFlags } from '../program.js';
import { DEMO_ALIAS } from './demo.js';
import { whenToldToStop } from './starter.js';
import { StateFolder } from './state-folder.js';

/** `isthmus demo start`: people who talk, in the running demo's room, until the time is over or Ctrl-C. */
export const fillDemo = async ({ state, perSite, minutes, script }: FillFlags & { readonly state: string }): Promise<void> => {
  const demo = StateFolder.mustFind(state);
  const authorityFile = join(state, 'https', 'ca.pem');
  const stop = new AbortController();
  whenToldToStop(() => stop.abort());
  const room = await fillRoom({
    sites: demo.sites.map(({ name, meetUrl }) => ({ name, gatewayUrl: `${meetUrl.replace(/^http/, 'ws')}/ws` })),
    alias: DEMO_ALIAS,
    perSite,
    ...(script === undefined ? {} : { script: parseScript(readFileSync(script, 'utf8')) }),
    ...(demo.portalUrl.startsWith('https:') ? { authority: readFileSync(authorityFile, 'utf8') } : {}),
    onProgress: (line) => process.stderr.write(`${line}\n`),
    signal: stop.signal,
  }).catch((error: unknown) => {
    // Somebody changed their mind before all had come.
    if (!stop.signal.aborted) throw error;
  });
  if (!room) return;
  process.stderr.write(`${room.bots.length} participants are talking in ${demo.sites[0]?.meetUrl}/r/${DEMO_ALIAS}. Ctrl-C ends it.\n`);
  await sleep(minutes * 60_000, undefined, { signal: stop.signal }).catch(() => undefined);
  const missing = room.missing();
  await room.leave();
  if (missing.length > 0)
    throw new Fault('demo.incomplete', `Not everybody saw what they should:\n${missing.map((line) => `  ${line}`).join('\n')}`);
};
