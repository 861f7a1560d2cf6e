import { chromium, type Browser, type BrowserContext, type Page, type WebSocketRoute } from 'playwright-core';
import { fakeDeviceSwitches, identityReader, type IdentityReader } from '@isthmus/bots';

/** Put into every page: tells who is in a picture, from its pixels. */
declare const isthmusIdentity: IdentityReader;

/** The little of the DOM that is read inside a page: a node project has no DOM library, and should not. */
interface InPage {
  readonly textContent: string | null;
  readonly videoWidth?: number;
  readonly videoHeight?: number;
  querySelector(selector: string): InPage | null;
  getAttribute(name: string): string | null;
  getVideoPlaybackQuality?(): { readonly totalVideoFrames: number };
}

/** Files that a browser takes for its camera and its microphone. */
export interface Devices {
  readonly camera: string;
  readonly microphone: string;
}

const STANDARD_DEVICES = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

/** A real browser, with `devices` or else with a moving picture for a camera and a beep for a microphone. @param program that starts it */
export const startBrowser = (devices?: Devices, program = process.env['CHROMIUM'] ?? '/usr/bin/chromium'): Promise<Browser> =>
  chromium.launch({
    executablePath: program,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      ...(devices ? fakeDeviceSwitches(devices.camera, devices.microphone) : STANDARD_DEVICES),
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--mute-audio',
    ],
  });

export interface Circumstances {
  /** The page's WebSockets run through the browser driver, which can cut them, but does not hear what a page says when it goes. */
  readonly cuttable?: boolean;
  /** The browser's question for camera and microphone is answered by {@link Attendee.allowDevices}, not by itself. */
  readonly asksForDevices?: boolean;
  /** The browser finds no way to any media node, as behind a firewall that lets neither UDP nor TCP through. */
  readonly walledIn?: boolean;
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** A tile as it is on the screen: what the page says of it, and what is in the decoded picture. */
export interface TileSeen {
  readonly name: string;
  readonly role: string;
  readonly leg: string;
  /** 0 is the large picture, 1 the first small one. */
  readonly position: number;
  /** Of the decoded picture, px; 0 while there is none. */
  readonly width: number;
  readonly height: number;
  /** Decoded so far. */
  readonly frames: number;
  /** The persona's number in the pixels, if one is there. */
  readonly persona: number | null;
}

/** Holds getUserMedia back until somebody answers, as a browser does that asks its person. */
const ASKING_PAGE = `{
  const devices = navigator.mediaDevices;
  const open = devices.getUserMedia.bind(devices);
  const answer = new Promise((resolve) => (globalThis.isthmusAllowDevices = resolve));
  devices.getUserMedia = (wanted) => answer.then(() => open(wanted));
}`;

/** Has the browser use relays alone, of which nobody has told it any. */
const WALLED_IN_PAGE = `globalThis.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(configuration) {
    super({ ...configuration, iceTransportPolicy: 'relay' });
  }
}`;

/** Somebody at the meeting client, seen through what is on their screen. */
export class Attendee {
  private readonly lines: WebSocketRoute[] = [];

  private constructor(
    readonly page: Page,
    private readonly context: BrowserContext,
  ) {}

  static async at(browser: Browser, url: string, circumstances: Circumstances = {}): Promise<Attendee> {
    const { cuttable = false, asksForDevices = false, walledIn = false, viewport = { width: 1280, height: 800 } } = circumstances;
    const context = await browser.newContext({ viewport });
    await context.addInitScript(await identityReader());
    if (asksForDevices) await context.addInitScript(ASKING_PAGE);
    if (walledIn) await context.addInitScript(WALLED_IN_PAGE);
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

  /** Says yes to the browser's question: from this moment on the microphone's file plays. */
  async allowDevices(): Promise<void> {
    await this.page.evaluate('isthmusAllowDevices()');
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

  /** Who is where, and what really arrives. */
  sees(): Promise<readonly TileSeen[]> {
    return this.page.locator('[data-testid=tile]').evaluateAll((tiles: readonly InPage[]) =>
      tiles
        .map((tile) => {
          const video = tile.querySelector('video');
          return {
            name: tile.querySelector('.tile-name')?.textContent ?? '',
            role: tile.getAttribute('data-role') ?? '',
            leg: tile.getAttribute('data-leg') ?? '',
            position: Number(tile.getAttribute('data-position')),
            width: video?.videoWidth ?? 0,
            height: video?.videoHeight ?? 0,
            frames: video?.getVideoPlaybackQuality?.().totalVideoFrames ?? 0,
            persona: video === null ? null : isthmusIdentity.read(video).number,
          };
        })
        .sort((a, b) => a.position - b.position),
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
