import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { SitePlan } from '../demo/plan.js';
import type { RoomDigest } from './world-of-sites.js';

/** What a site has folded of every room with people in it, by room, as its own diagnostics say it. */
export const digestsAt = async ({ host, ports }: Pick<SitePlan, 'host' | 'ports'>): Promise<readonly RoomDigest[]> => {
  const asking = request({ host, port: ports.brainHealth, path: '/diagnostics/rooms', localAddress: host }).end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
  const { rooms } = JSON.parse(text) as { rooms: readonly RoomDigest[] };
  return rooms.toSorted((a, b) => (a.room < b.room ? -1 : 1));
};
