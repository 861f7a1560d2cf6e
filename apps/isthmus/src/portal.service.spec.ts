import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { embeddedBus } from '@isthmus/bus-embedded';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import type { SiteId } from '@isthmus/kernel';
import type { Bus } from '@isthmus/ports';
import { startProvisioning, type Provisioning } from '@isthmus/provisioning';
import { startTelemetry } from '@isthmus/telemetry';
import { expectAccessible, NARROW_PX } from './testing/accessibility.js';
import { startBrowser } from './testing/attendee.js';
import { legOf, reportingSites } from './testing/reporting-sites.js';

const ONE_TIME = 'one-time-3f9k-2m7p';
const CHOSEN = 'correct horse battery';
const WINDOW = { width: 1280, height: 800 };
const BUILD_MS = 240_000;
/** A browser and argon2 on a machine that does much else. */
const PATIENCE_MS = 120_000;

const folder = mkdtempSync(join(tmpdir(), 'portal-'));
const running: { close(): unknown }[] = [];
const keep = <T extends { close(): unknown }>(part: T): T => {
  running.unshift(part);
  return part;
};
let provisioning: Provisioning;
let bus: Bus;
let browser: Browser;
let context: BrowserContext;
let page: Page;
/** What the page complained of by itself: a broken policy, an exception. A refused request is no such thing. */
let complaints: string[];

/** Where something ends, in CSS pixels from the window's left edge. */
const rightOf = async (what: Locator): Promise<number> => {
  const box = await what.boundingBox();
  return box === null ? Infinity : box.x + box.width;
};
const part = (testId: string) => page.getByTestId(testId);
const signIn = async (password: string): Promise<void> => {
  await part('name').fill('ada');
  await part('password').fill(password);
  await part('sign-in').click();
};
const enter = async (): Promise<void> => {
  await signIn(CHOSEN);
  await part('account').waitFor();
};
const soon = { timeout: 15_000, interval: 100 };

/** Asks the service itself, with the cookie of whoever is signed in. */
const ask = async (method: 'get' | 'patch', path: string, data?: object) => {
  const headers = { origin: provisioning.url };
  const answer = await context.request[method](provisioning.url + path, { headers, ...(data ? { data } : {}) });
  return (await answer.json()) as { items: { id: string; aliases: string[]; hostPinSet: boolean }[]; name: string };
};

beforeAll(async () => {
  const portalDir = join(folder, 'portal');
  const root = fileURLToPath(new URL('../../portal', import.meta.url));
  await build({ root, logLevel: 'error', build: { outDir: portalDir, emptyOutDir: true } });
  const store = keep(await sqliteEventStore({ file: join(folder, 'facts.db') }));
  bus = keep(embeddedBus());
  provisioning = keep(
    await startProvisioning({
      listen: { host: '127.0.0.1', port: 0 },
      siteListen: { host: '127.0.0.1', port: 0 },
      store,
      bus,
      stateDir: join(folder, 'state'),
      portalDir,
      firstAdministrator: { name: 'ada', password: ONE_TIME },
    }),
  );
  keep(await startTelemetry({ role: 'management', listen: { host: '127.0.0.1', port: 0 }, bus }));
  await provisioning.ensureSite({
    id: 'nyc' as SiteId,
    name: 'New York',
    meetUrl: 'http://127.0.0.11:7100',
    linkUrl: 'wss://127.0.0.11:7101',
  });
  await provisioning.ensureSite({
    id: 'lon' as SiteId,
    name: 'London',
    meetUrl: 'http://127.0.0.12:7200',
    linkUrl: 'wss://127.0.0.12:7201',
  });
  browser = keep(await startBrowser());
}, BUILD_MS);
afterAll(async () => {
  for (const one of running) await one.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  context = await browser.newContext({ viewport: WINDOW, reducedMotion: 'reduce' });
  page = await context.newPage();
  complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
  });
  await page.goto(provisioning.url);
});
afterEach(async () => {
  await context.close();
  expect(complaints).toEqual([]);
});

describe('the portal', { timeout: PATIENCE_MS }, () => {
  it('opens to a one-time password only for its replacement, and then to Live View', async () => {
    await signIn('wrong');
    await part('trouble').getByText('Name or password is wrong.').waitFor();
    await expectAccessible(page);
    await signIn(ONE_TIME);
    await part('current-password').fill(ONE_TIME);
    await part('new-password').fill('short');
    await part('new-password-again').fill('short');
    await part('change-password').click();
    await page.getByText('Not yet: look at what is open below.').waitFor();
    await part('new-password').fill(CHOSEN);
    await part('new-password-again').fill(CHOSEN);
    await part('change-password').click();
    await part('account').waitFor();
    expect(await part('title').textContent()).toBe('Live View');
  });

  it('says that nobody meets yet, and where to start', async () => {
    await enter();
    await part('nobody-yet').getByText('isthmus demo start').waitFor();
  });

  it('makes a room, shows its PIN once, and every way to join it', async () => {
    await enter();
    await page.getByRole('link', { name: 'Rooms' }).click();
    await part('new-room').click();
    await part('room-name').fill('Board room');
    await part('generate-host-pin').click();
    const pin = await part('host-pin').inputValue();
    expect(pin).toMatch(/^\d{6}$/);
    await part('save-room').click();
    await expect
      .poll(() => part('way').allTextContents(), soon)
      .toEqual(['board-roomhttp://127.0.0.12:7200/r/board-room', 'board-roomhttp://127.0.0.11:7100/r/board-room']);
    expect(await part('fresh-pins').textContent()).toContain(pin);
    await expectAccessible(page);
    expect(await part('open-link').first().getAttribute('href')).toBe('http://127.0.0.12:7200/r/board-room');
    expect((await ask('get', '/v1/rooms')).items).toMatchObject([{ aliases: ['board-room'], hostPinSet: true }]);
    await page.reload();
    await part('way').first().waitFor();
    expect(await page.content()).not.toContain(pin);
  });

  it('tells what is wrong with a room beside the field that it is about', async () => {
    await enter();
    await page.goto(`${provisioning.url}/rooms/new`);
    await part('room-name').fill('Another');
    await part('room-aliases').fill('board-room');
    await page.keyboard.press('Enter');
    await part('save-room').click();
    const field = page.locator('.mantine-TagsInput-root', { has: page.getByTestId('room-aliases') });
    await expect.poll(() => field.locator('.mantine-TagsInput-error').textContent(), soon).toContain('board-room');
    expect(await part('trouble').count()).toBe(0);
  });

  it('overwrites nobody’s change, but says that there was one', async () => {
    await enter();
    await page.getByRole('link', { name: 'Rooms' }).click();
    await part('room').getByRole('link').click();
    await part('room-description').fill('Mine');
    const { id } = (await ask('get', '/v1/rooms')).items[0]!;
    await ask('patch', `/v1/rooms/${id}`, { name: 'Their room' });
    await part('save-room').click();
    await part('conflict').waitFor();
    expect((await ask('get', `/v1/rooms/${id}`)).name).toBe('Their room');
    await part('reload-room').click();
    await expect.poll(() => part('room-name').inputValue(), soon).toBe('Their room');
  });

  it('draws what runs, and says what crosses between sites and what that saves', async () => {
    await enter();
    const { items } = await ask('get', '/v1/rooms');
    let revision = 1;
    const three = (site: string, names: readonly string[]) => names.map((name) => ({ name, node: `${site}-1` }));
    const reports = reportingSites(bus, {
      sites: { nyc: { nodes: ['nyc-1', 'nyc-2'] }, lon: { nodes: ['lon-1'] } },
      estateRevision: () => revision,
      meetings: [
        {
          conference: 'c1',
          room: items[0]!.id,
          floor: legOf('nyc', 'Ann'),
          present: { nyc: three('nyc', ['Ann', 'Bob', 'Cid']), lon: three('lon', ['Dee', 'Eve', 'Fay']) },
          crossings: { 'nyc>lon': { large: 1, small: 2, voices: 1 }, 'lon>nyc': { large: 1, small: 2, voices: 1 } },
        },
      ],
    });
    try {
      await expect.poll(() => part('count-participants').textContent(), soon).toBe('participants6');
      await expect.poll(() => part('freshness').getAttribute('data-condition'), soon).toBe('live');
      await page.locator('[data-testid=graph] canvas').first().waitFor();
      await part('conference').click();
      await expect.poll(() => part('saved').textContent(), soon).toBe('60 %');
      expect(await part('floor').textContent()).toContain('Ann, New York');
      expect(await part('seat').count()).toBe(6);
      await expect.poll(async () => (await part('link').allTextContents()).filter((row) => /1,\d{3}/.test(row)).length, soon).toBe(2);
      await page.getByText('Table', { exact: true }).click();
      await expect.poll(() => part('fact-link').first().textContent(), soon).toContain('1 HD + 2 T, 1 voice');
      await expectAccessible(page);
      await ask('patch', '/v1/nodes/nyc-2', { draining: false });
      await page.getByRole('link', { name: 'Sites and nodes' }).click();
      const node = part('node').filter({ hasText: 'nyc-2' });
      await node.getByTestId('drain-node').click();
      await part('confirm').click();
      await expect.poll(() => node.textContent(), soon).toContain('fine, draining');
      // Its site goes by what was said, and has nobody there.
      revision = 1_000;
      await expect.poll(() => node.textContent(), soon).toContain('fine, drained');
      await expectAccessible(page);
      await page.setViewportSize({ width: NARROW_PX, height: 800 });
      const rightmost = () => Promise.all(['drain-node', 'remove-node'].map((button) => rightOf(node.getByTestId(button))));
      await expect.poll(async () => Math.max(...(await rightmost())), soon).toBeLessThanOrEqual(NARROW_PX);
      await page.setViewportSize(WINDOW);
      await node.getByTestId('drain-node').click();
      await expect.poll(() => node.textContent(), soon).not.toContain('drain');
      await page.getByRole('link', { name: 'Live View' }).click();
    } finally {
      reports.close();
    }
    // Both sites have fallen silent.
    await expect.poll(() => part('count-issues').textContent(), soon).toMatch(/issues?\d/);
  });

  it('adds a site, shows the command for its machine, and removes it again', async () => {
    await enter();
    await page.getByRole('link', { name: 'Sites and nodes' }).click();
    await part('add-site').click();
    await part('site-name').fill('Oslo');
    await part('site-id').fill('osl');
    await part('site-address').fill('192.0.2.7');
    await part('site-submit').click();
    await part('make-command').click();
    expect(await part('command').textContent()).toMatch(/^npm run join -- [\w-]+\.[\w-]+$/);
    await part('copy-command').waitFor();
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    const card = page.locator('[data-testid=site][data-site=osl]');
    await card.getByTestId('add-node').click();
    expect(await part('node-id').inputValue()).toBe('osl-1');
    await page.keyboard.press('Escape');
    await part('node-id').waitFor({ state: 'detached' });
    await card.getByTestId('drain-site').click();
    await part('confirm').click();
    await expect.poll(() => card.getByTestId('draining').textContent(), soon).toMatch(/^drain(ing|ed)$/);
    await card.getByTestId('remove-site').click();
    await part('confirm').click();
    await card.waitFor({ state: 'detached' });
  });

  it('asks to sign in again, at the same place, when the session is over', async () => {
    await enter();
    await page.goto(`${provisioning.url}/administrators`);
    await part('administrator').waitFor();
    await context.clearCookies();
    await page.getByRole('link', { name: 'Sites and nodes' }).click();
    await part('before').getByText('Your session ended.').waitFor();
    await signIn(CHOSEN);
    await part('site').first().waitFor();
    expect(await part('site').count()).toBe(2);
    await part('account').click();
    await part('sign-out').click();
    await part('before').getByText('You are signed out.').waitFor();
    await page.goto(`${provisioning.url}/rooms`);
    await part('sign-in').waitFor();
  });
});
