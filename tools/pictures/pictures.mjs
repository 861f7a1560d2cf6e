/**
 * `npm run pictures`: the README's pictures, of the product as it is: starts a demo of its own, fills its room, and looks at a
 * meeting and at Live View through a browser. Overwrites docs/images/*.png.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootstrap } from '../lib/bootstrap.mjs';
import { ensureDebianPackages } from '../lib/debian.mjs';
import { againUnderNode24 } from '../lib/node24.mjs';
import { ROOT } from '../lib/paths.mjs';
import { Problem, runTool } from '../lib/problem.mjs';
import { step } from '../lib/progress.mjs';

const PACKAGES = ['chromium', 'espeak-ng', 'ffmpeg'];
/** Beside a demo that somebody may have open. */
const PORT = 27_000;
const PER_SITE = 2;
const MEETING = { width: 1440, height: 900 };
const LIVE_VIEW = { width: 1440, height: 1120 };
/** Everybody has spoken, then somebody in New York goes on after somebody in London: the white paper's example, standing still. */
const SPEECH = ['0 2 for 2', '2.5 3 for 2', '5 5 for 2', '7.5 1 for 2', '10 4 for 3', '13.5 0 for 120'].join('\n');
const SETTLED_MS = 25_000;
const TARGET = join(ROOT, 'docs', 'images');
/** Only ever used in a demo that is gone a minute later. */
const NEW_PASSWORD = 'four plain words 4 pictures';

await runTool(async () => {
  const { worker } = await bootstrap();
  await ensureDebianPackages(PACKAGES, 'take pictures');
  const elsewhere = againUnderNode24({ MEDIASOUP_WORKER_BIN: worker });
  if (elsewhere !== undefined) return elsewhere;
  mkdirSync(TARGET, { recursive: true });
  const state = mkdtempSync(join(tmpdir(), 'isthmus-pictures-'));
  const demo = spawn(process.execPath, [join(ROOT, 'apps/isthmus/dist/main.js'), 'demo', '--state', state, '--port', String(PORT)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, MEDIASOUP_WORKER_BIN: worker },
  });
  const ended = once(demo, 'exit');
  try {
    await takePictures(await step('demo', () => tableOf(demo)));
  } finally {
    demo.kill('SIGTERM');
    await ended;
    rmSync(state, { recursive: true, force: true });
  }
  return 0;
});

/** @typedef {{ portal: string, password: string, meet: { name: string, url: string }[] }} Table */

/** @param {import('node:child_process').ChildProcess} demo @returns {Promise<Table>} */
async function tableOf(demo) {
  let text = '';
  for await (const chunk of demo.stdout ?? []) {
    text += String(chunk);
    if (text.includes('Ctrl-C ends it.')) break;
  }
  const entry = (/** @type {RegExp} */ pattern) => {
    const [, value] = pattern.exec(text) ?? [];
    if (!value) throw new Problem(`The demo's table is not as expected:\n${text}`, 'Look at what it printed.');
    return value;
  };
  const meet = [...text.matchAll(/Meet in (.+?)\s{2,}(\S+)/g)].map(([, name = '', url = '']) => ({ name, url }));
  return { portal: entry(/Portal\s+(\S+)/), password: entry(/one-time password (\S+)/), meet };
}

/** @param {Table} table */
async function takePictures({ portal, password, meet }) {
  const { fakeCameraFile, fakeDeviceSwitches, fillRoom, parseScript, personaOf } = await import('@isthmus/bots');
  const { chromium } = await import('playwright-core');
  const room = await step('participants', (note) =>
    fillRoom({
      sites: meet.map(({ name, url }) => ({ name, gatewayUrl: new URL('/ws', url).href.replace(/^http/, 'ws') })),
      alias: 'demo',
      perSite: PER_SITE,
      script: parseScript(SPEECH),
      onProgress: note,
    }),
  );
  const visitor = personaOf(meet.length * PER_SITE);
  const camera = await fakeCameraFile(visitor);
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [...fakeDeviceSwitches(camera), '--no-sandbox', '--mute-audio', '--hide-scrollbars'],
  });
  try {
    const context = await browser.newContext({ viewport: MEETING, deviceScaleFactor: 1, colorScheme: 'dark' });
    await step('meeting', async () => {
      const page = await context.newPage();
      await page.goto(meet[1]?.url ?? meet[0]?.url ?? '');
      await page.getByTestId('name').fill(visitor.name);
      await page.locator('[data-testid=preview] video').waitFor();
      await page.getByTestId('join').click();
      await page
        .getByTestId('tile')
        .nth(room.bots.length - 1)
        .waitFor();
      await sleep(SETTLED_MS);
      await page.mouse.move(0, 0);
      await page.screenshot({ path: join(TARGET, 'meeting.png') });
    });
    await step('live view', async () => {
      const page = await context.newPage();
      await page.setViewportSize(LIVE_VIEW);
      await page.goto(portal);
      await page.getByTestId('name').fill('admin');
      await page.getByTestId('password').fill(password);
      await page.getByTestId('sign-in').click();
      await page.getByTestId('current-password').fill(password);
      await page.getByTestId('new-password').fill(NEW_PASSWORD);
      await page.getByTestId('new-password-again').fill(NEW_PASSWORD);
      await page.getByTestId('change-password').click();
      await page.getByTestId('graph').waitFor();
      await page.getByTestId('conference').first().click();
      await page.getByTestId('savings').waitFor();
      await sleep(6_000);
      await page.screenshot({ path: join(TARGET, 'live-view.png') });
    });
  } finally {
    await browser.close();
    await room.leave();
  }
}
