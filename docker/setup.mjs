// Run once by compose.yaml: enters the three sites into the estate and leaves each its enrolment token. Harmless the second time.
import { existsSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

const PORTAL = process.env.PORTAL_URL;
const FOLDER = '/var/lib/isthmus-enrolment';
const ROOM = { name: 'Demo', description: 'Open to everyone who can reach this machine', aliases: ['demo'] };

let cookie = '';
const ask = async (method, path, body) => {
  const answer = await fetch(PORTAL + path, {
    method,
    headers: { origin: PORTAL, cookie, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const set = answer.headers.getSetCookie()[0];
  if (set) cookie = set.split(';', 1)[0];
  const text = await answer.text();
  if (!answer.ok && answer.status !== 409) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
  return { status: answer.status, body: text ? JSON.parse(text) : undefined };
};

const sites = JSON.parse(process.env.SITES);
if (sites.every(({ id }) => existsSync(`${FOLDER}/${id}.token`))) {
  console.log('The sites are entered already.');
  process.exit(0);
}
const password = (await readFile('/run/secrets/first-password', 'utf8')).trim();
const next = (await readFile('/run/secrets/administrator-password', 'utf8')).trim();
await ask('POST', '/v1/sessions', { name: 'admin', password });
await ask('POST', '/v1/sessions/current/password', { current: password, next });
for (const { id, name, meetUrl, linkUrl } of sites) {
  await ask('POST', '/v1/sites', { id, name, meetUrl, linkUrl });
  const { body } = await ask('POST', `/v1/sites/${id}/enrolment-tokens`);
  writeFileSync(`${FOLDER}/${id}.token`, body.token, { mode: 0o600 });
  writeFileSync(`${FOLDER}/${id}.fingerprint`, body.caFingerprint ?? '', { mode: 0o600 });
  console.log(`${name} is entered.`);
}
await ask('POST', '/v1/rooms', ROOM);
