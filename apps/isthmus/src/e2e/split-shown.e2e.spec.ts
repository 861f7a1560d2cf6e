import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { fillRoom, type FilledRoom } from '@isthmus/bots';
import { startBrowser } from '../testing/attendee.js';
import { startDemoUnderTest, type DemoUnderTest } from '../testing/running-demo.js';

/** A demo whose links are cut and healed by its command line and by its portal, and what Live View shows of it. */
const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const PORT = 18_000;
const CHOSEN = 'correct horse battery';
const soon = { timeout: 40_000, interval: 200 };

let demo: DemoUnderTest;
let browser: Browser;
let room: FilledRoom;
let page: Page;
const part = (testId: string) => page.getByTestId(testId);

/** `isthmus demo …` for the running demo. */
const isthmus = (...args: string[]) => isthmusOf(demo.state, ...args);
const isthmusOf = (state: string, ...args: string[]) =>
  new Promise<{ status: number; said: string }>((resolve) =>
    execFile(process.execPath, [MAIN, 'demo', ...args, '--state', state], (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, said: `${stdout}${stderr}`.trim() }),
    ),
  );
const codes = async () => (await part('alarm').allTextContents()).filter((text) => text.includes('connectivity_lost')).length;
const sides = async () => (await part('split-side').allTextContents()).sort();

beforeAll(async () => {
  demo = await startDemoUnderTest({ port: PORT });
  room = await fillRoom({
    sites: demo.plan.sites.map(({ id, name }) => ({ name, gatewayUrl: demo.gateway(id) })),
    alias: 'demo',
    perSite: 1,
  });
  browser = await startBrowser();
  page = await browser.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
  await page.goto(demo.plan.management.portalUrl);
  await part('name').fill(demo.administrator.name);
  await part('password').fill(demo.administrator.password);
  await part('sign-in').click();
  await part('current-password').fill(demo.administrator.password);
  await part('new-password').fill(CHOSEN);
  await part('new-password-again').fill(CHOSEN);
  await part('change-password').click();
  await part('count-participants').getByText('3').waitFor();
}, 240_000);
afterAll(async () => {
  await browser?.close();
  await room?.leave();
  await demo?.close();
});
beforeEach(async () => {
  await isthmus('heal');
  await page.goto(demo.plan.management.portalUrl);
  await part('demo-links').waitFor();
  await expect.poll(codes, soon).toBe(0);
});

it('shows both sides of a split by command with who is where, raises an alarm, and clears it when a button heals', async () => {
  await part('conference').click();
  await part('savings').waitFor();
  expect((await isthmus('cut', 'london')).said).toBe('Cut now:\n  New York and London\n  London and Cape Town');
  await expect.poll(sides, soon).toEqual(['London1 participant', 'New York and Cape Town2 participants']);
  await expect.poll(codes, soon).toBe(2);
  await expect.poll(() => part('side').count(), soon).toBe(2);
  expect((await part('side').first().textContent()) ?? '').toMatch(/^New York and Cape Town.*New YorkAna.*Cape TownChen/);
  expect(await part('saved').textContent()).toBe('–');

  await part('heal-all').click();
  await expect.poll(() => part('split').count(), soon).toBe(0);
  await expect.poll(codes, soon).toBe(0);
  await expect.poll(() => part('side').count(), soon).toBe(1);
  await expect.poll(() => room.missing(), soon).toEqual([]);
});

it('cuts one link by a button, in one direction or both, which the command line then heals', async () => {
  await page.getByRole('button', { name: 'Cut the link between New York and London' }).click();
  await expect.poll(() => part('demo-link').first().getAttribute('data-cut'), soon).toBe('true');
  await expect.poll(codes, soon).toBe(1);
  expect(await isthmus('heal', 'new-york', 'LONDON')).toEqual({ status: 0, said: 'Every link is whole.' });
  await page.getByRole('button', { name: 'Cut only what New York sends to Cape Town' }).click();
  await expect.poll(() => part('demo-link').nth(1).textContent(), soon).toContain('cut from New York to Cape Town');
  expect(await isthmus('cut', 'cpt', 'lon', '--one-way')).toEqual({
    status: 0,
    said: 'Cut now:\n  New York to Cape Town\n  Cape Town to London',
  });
  expect((await isthmus('heal')).said).toBe('Every link is whole.');
  await expect.poll(codes, soon).toBe(0);
});

it('says which sites there are to whoever names another, and that no demo runs where none does', async () => {
  expect(await isthmus('cut', 'paris', 'london')).toEqual({
    status: 1,
    said: 'There is no site "paris" in the running demo. It has New York (nyc), London (lon), Cape Town (cpt).',
  });
  expect((await isthmus('cut', 'london', 'lon')).said).toBe('A link is between two sites; London was named twice.');
  expect((await isthmus('cut')).status).toBe(2);
  expect(await isthmusOf(`${demo.state}/nothing-here`, 'heal')).toMatchObject({
    status: 1,
    said: expect.stringContaining('No demo is running with the state folder') as string,
  });
});
