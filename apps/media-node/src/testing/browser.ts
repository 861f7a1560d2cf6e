import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import { fakeMicrophoneFile, personaOf, scriptOf } from '@isthmus/bots';

/** What the page has seen of one leg's camera. */
export interface Sight {
  readonly leg: string;
  /** Of the decoded picture, pixels; 0 before the first. */
  readonly width: number;
  readonly frames: number;
}

export interface AttachInPage {
  readonly url: string;
  readonly leg: string;
  readonly token: string;
  readonly capabilities: unknown;
  readonly publish: boolean;
}

interface InPage {
  readonly client: {
    attach(options: AttachInPage): Promise<void>;
    ask(message: object): Promise<string>;
    sees(): Sight[];
    readonly state: { readonly layers: { readonly large: boolean }[]; readonly speaking: string[]; readonly ended?: string };
  };
}

/** What every page's microphone says, again and again: Chromium's own beep is too short to be anybody's voice. */
const SPEECH = { forMs: 6_000, pauseMs: 2_000 };

/** A real browser with pages that speak to a media node. */
export interface TestBrowser {
  attach(options: AttachInPage): Promise<TestPage>;
  close(): Promise<void>;
}

export interface TestPage {
  sees(): Promise<Sight[]>;
  ask(message: object): Promise<string>;
  layers(): Promise<{ readonly large: boolean } | undefined>;
  speaking(): Promise<string[]>;
  ended(): Promise<string | undefined>;
  close(): Promise<void>;
}

export const startTestBrowser = async (): Promise<TestBrowser> => {
  const script = await bundled();
  const folder = await mkdtemp(join(tmpdir(), 'isthmus-browser-'));
  const speaker = personaOf(0);
  const speech = scriptOf([{ who: speaker.name, atMs: 0, forMs: SPEECH.forMs }]);
  const microphone = await fakeMicrophoneFile(speaker, speech, join(folder, 'speech.wav'), { tailMs: SPEECH.pauseMs });
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><body><script>${script}</script>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const pageUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const browser: Browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-audio-capture=${microphone}`,
      '--use-fake-ui-for-media-stream',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  return {
    attach: async (options) => {
      const page = await browser.newPage();
      await page.goto(pageUrl);
      await page.evaluate((given) => (globalThis as unknown as InPage).client.attach(given), options);
      return testPage(page);
    },
    close: async () => {
      await browser.close();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const bundled = async (): Promise<string> => {
  const entry = fileURLToPath(new URL('page.js', import.meta.url));
  const options = { write: false, minify: false, lib: { entry, formats: ['iife' as const], name: 'page' } };
  const built = (await build({ configFile: false, logLevel: 'error', build: options })) as Rolldown.RolldownOutput[];
  return (built[0]?.output[0].code ?? '').replaceAll('</script', '<\\/script');
};

const testPage = (page: Page): TestPage => ({
  sees: () => page.evaluate(() => (globalThis as unknown as InPage).client.sees()),
  ask: (message) => page.evaluate((given) => (globalThis as unknown as InPage).client.ask(given), message),
  layers: () => page.evaluate(() => (globalThis as unknown as InPage).client.state.layers.at(-1)),
  speaking: () => page.evaluate(() => (globalThis as unknown as InPage).client.state.speaking),
  ended: () => page.evaluate(() => (globalThis as unknown as InPage).client.state.ended),
  close: () => page.close(),
});
