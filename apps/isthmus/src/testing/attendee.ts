import { chromium, type Browser, type BrowserContext, type Page, type WebSocketRoute } from 'playwright-core';

/** The little of the DOM that is read inside a page: a node project has no DOM library, and should not. */
interface InPage {
  readonly textContent: string | null;
  readonly videoWidth?: number;
  querySelector(selector: string): InPage | null;
  getAttribute(name: string): string | null;
  getVideoPlaybackQuality?(): { readonly totalVideoFrames: number };
}

/** A real browser with a moving picture for a camera and a beep for a microphone. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--mute-audio',
    ],
  });

/** Somebody at the meeting client, seen through what is on their screen. */
export class Attendee {
  private readonly lines: WebSocketRoute[] = [];

  private constructor(
    readonly page: Page,
    private readonly context: BrowserContext,
  ) {}

  /** `cuttable`: its WebSockets run through the browser driver, which can cut them, but does not hear what a page says when it goes. */
  static async at(browser: Browser, url: string, cuttable = false): Promise<Attendee> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const attendee = new Attendee(await context.newPage(), context);
    if (cuttable) {
      await context.routeWebSocket(/\/(ws|media)$/, (line) => {
        line.connectToServer();
        attendee.lines.push(line);
      });
    }
    await attendee.page.goto(url);
    return attendee;
  }

  part(testId: string) {
    return this.page.getByTestId(testId);
  }

  /** Fills in the name and presses Join; where that leads is for the spec to say. */
  async knock(name: string): Promise<void> {
    await this.part('name').fill(name);
    await this.page.locator('[data-testid=preview] video').waitFor();
    await this.part('join').click();
  }

  async enter(name: string): Promise<void> {
    await this.knock(name);
    await this.part('meeting').waitFor();
  }

  async pin(pin: string): Promise<void> {
    await this.part('pin').fill(pin);
    await this.part('join').click();
  }

  /** Who is large, and what really arrives: pixels of the decoded picture, and frames so far. */
  sees(): Promise<
    readonly { readonly name: string; readonly role: string; readonly leg: string; readonly width: number; readonly frames: number }[]
  > {
    return this.page.locator('[data-testid=tile]').evaluateAll((tiles: readonly InPage[]) =>
      tiles.map((tile) => {
        const video = tile.querySelector('video');
        return {
          name: tile.querySelector('.tile-name')?.textContent ?? '',
          role: tile.getAttribute('data-role') ?? '',
          leg: tile.getAttribute('data-leg') ?? '',
          width: video?.videoWidth ?? 0,
          frames: video?.getVideoPlaybackQuality?.().totalVideoFrames ?? 0,
        };
      }),
    );
  }

  /** Cuts every WebSocket of this page, as a network does that changes under it. */
  async cutLines(): Promise<void> {
    await Promise.all(this.lines.splice(0).map((line) => line.close({ code: 3001 })));
  }

  leave(): Promise<void> {
    return this.context.close();
  }
}
