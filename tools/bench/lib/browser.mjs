import { chromium } from 'playwright-core';

/**
 * A real browser with a moving picture for a camera and a beep for a microphone, as the e2e specs use it.
 * @param {import('../figures.mjs').BenchContext} context
 */
export const startBrowser = async (context) => {
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--no-first-run', '--mute-audio'],
      ...['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
  context.atEnd(() => browser.close());
  return browser;
};
