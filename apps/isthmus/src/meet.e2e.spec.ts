import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import { expectAccessible } from './testing/accessibility.js';
import { Attendee, startBrowser, type Circumstances } from './testing/attendee.js';
import { startOneSite, type OneSite } from './testing/one-site.js';

let site: OneSite;
let browser: Browser;
let present: Attendee[] = [];

const at = async (room: string, circumstances: Circumstances = {}): Promise<Attendee> => {
  const attendee = await Attendee.at(browser, `${site.url}/r/${room}`, circumstances);
  present.push(attendee);
  return attendee;
};
/** Every spec meets in a room of its own: what one leaves behind does not greet the next. */
let number = 0;
beforeEach(() => void (number += 1));
const inRoom = async (name: string, circumstances: Circumstances = {}): Promise<Attendee> => {
  const attendee = await at(`open-${number}`, circumstances);
  await attendee.enter(name);
  return attendee;
};
/** An element in the page, by how it is drawn (CSS Typed OM). */
interface Styled {
  computedStyleMap(): { get(property: string): unknown };
}
const soon = { timeout: 15_000, interval: 100 };

beforeAll(async () => {
  [site, browser] = await Promise.all([startOneSite(31_810), startBrowser()]);
});
afterEach(async () => {
  await Promise.all(present.map((attendee) => attendee.leave()));
  present = [];
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

describe('a meeting, through the meeting client', () => {
  it('shows each of two people the other, large and live, by name', async () => {
    const [ana, bo] = [await inRoom('Ana'), await inRoom('Bo')];
    for (const [viewer, other] of [
      [ana, 'Bo'],
      [bo, 'Ana'],
    ] as const) {
      await expect.poll(async () => (await viewer.sees())[0]?.width, soon).toBeGreaterThanOrEqual(640);
      const before = await viewer.sees();
      expect(before).toMatchObject([{ name: other, role: 'main' }]);
      await expect.poll(async () => (await viewer.sees())[0]?.frames, soon).toBeGreaterThan((before[0]?.frames ?? 0) + 10);
    }
    // What a join waits for is drawn once, not over and over while it fades in: nobody was small for Bo.
    const faded = ['meeting', 'tile'].map((part) =>
      bo.part(part).evaluate((drawn: Styled) => String(drawn.computedStyleMap().get('animation-name'))),
    );
    expect(await Promise.all(faded)).toEqual(['none', 'none']);
    expect(await ana.part('connection').getAttribute('data-condition')).toBe('good');
  });

  it('shows a camera that was switched off as initials, by a key, to everybody', async () => {
    const [ana, bo] = [await inRoom('Ana'), await inRoom('Bo')];
    await ana.page.keyboard.press('v');
    const tile = bo.part('tile');
    await expect.poll(() => tile.getAttribute('data-picture'), soon).toBe('false');
    expect(await tile.locator('.avatar').textContent()).toBe('AN');
    await ana.page.keyboard.press('v');
    await expect.poll(async () => (await bo.sees())[0]?.width, soon).toBeGreaterThan(0);
  });

  it('keeps the seat when every connection is cut', async () => {
    const [ana, bo] = [await inRoom('Ana', { cuttable: true }), await inRoom('Bo')];
    await expect.poll(async () => (await bo.sees())[0]?.width, soon).toBeGreaterThan(0);
    const before = (await bo.sees())[0];
    await ana.cutLines();
    await expect.poll(() => ana.part('connection').getAttribute('data-condition'), soon).toBe('reconnecting');
    await expect.poll(() => ana.part('connection').getAttribute('data-condition'), soon).toBe('good');
    await expect.poll(async () => (await bo.sees()).map(({ leg }) => leg), soon).toEqual([before?.leg]);
    await expect.poll(async () => (await ana.sees())[0]?.width, soon).toBeGreaterThan(0);
    const frames = (await bo.sees())[0]?.frames ?? 0;
    await expect.poll(async () => ((await bo.sees())[0]?.frames ?? 0) - frames, soon).toBeGreaterThan(10);
  });
});

describe('a network that lets no media through', () => {
  it('is told to the person, with the door that would have to be open, while the seat and what is said of others stay', async () => {
    const [ana, bo] = [await inRoom('Ana', { walledIn: true }), await inRoom('Bo')];
    await expect.poll(() => ana.part('connection').getAttribute('data-condition'), soon).toBe('blocked');
    expect(await ana.part('blocked').textContent()).toMatch(/between this browser and 127\.\S+ port \d+ \(UDP or TCP\)/);
    expect(await ana.sees()).toMatchObject([{ name: 'Bo', frames: 0 }]);
    expect(await bo.part('connection').getAttribute('data-condition')).toBe('good');
    await expectAccessible(ana.page);
  });
});

describe('leaving', () => {
  it('is seen at once by the others when somebody closes the tab', async () => {
    const [ana, bo] = [await inRoom('Ana'), await inRoom('Bo')];
    await expect.poll(async () => (await ana.sees()).map(({ name }) => name), soon).toEqual(['Bo']);
    await bo.page.goto('about:blank');
    // Without a word from the page the seat would be kept for 20 s.
    await expect.poll(async () => (await ana.sees()).length, { timeout: 5_000 }).toBe(0);
  });

  it('asks first, and shows the way back', async () => {
    const ana = await inRoom('Ana');
    await ana.page.keyboard.press('l');
    await ana.part('confirm-leave').click();
    await expect.poll(() => ana.part('ended').getAttribute('data-reason'), soon).toBe('left');
    await ana.part('again').click();
    await ana.enter('Ana');
  });
});

describe('the door', () => {
  it('asks for a PIN in the same words whether the room exists or not, and refuses in the same words', async () => {
    const words = async (room: string): Promise<string> => {
      const ana = await at(room);
      await ana.knock('Ana');
      await ana.pin('9999');
      await ana.part('pin-failed').waitFor();
      return (await ana.part('pin-form').innerText()).replaceAll(room, '…');
    };
    expect(await words(`board-${number}`)).toBe(await words('nowhere'));
  });

  it('lets a guest wait for the host, and in when the host comes', async () => {
    const guest = await at(`board-${number}`);
    await expectAccessible(guest.page);
    await guest.knock('Gus');
    await guest.pin('0815');
    await expect.poll(() => guest.part('waiting').getAttribute('data-reason'), soon).toBe('host');
    const host = await at(`board-${number}`);
    await host.knock('Ana');
    await host.pin('471100');
    await host.part('meeting').waitFor();
    await guest.part('meeting').waitFor();
    await expect.poll(async () => (await host.sees()).map(({ name }) => name), soon).toEqual(['Gus']);
  });
});

describe('a host', () => {
  const hostAndGuest = async (): Promise<readonly [Attendee, Attendee]> => {
    const [host, guest] = [await at(`board-${number}`), await at(`board-${number}`)];
    await host.knock('Ana');
    await host.pin('471100');
    await host.part('meeting').waitFor();
    await guest.knock('Gus');
    await guest.pin('0815');
    await guest.part('meeting').waitFor();
    await host.page.keyboard.press('r');
    return [host, guest];
  };
  const lineOf = (host: Attendee, name: string) => host.part('person').filter({ hasText: name }).getByRole('button').first();

  it('mutes a guest, who is told', async () => {
    const [host, guest] = await hostAndGuest();
    await expectAccessible(host.page);
    await lineOf(host, 'Gus').click();
    await host.part('mute-person').click();
    await expect.poll(() => guest.part('microphone').getAttribute('aria-pressed'), soon).toBe('false');
    expect(await guest.part('toasts').innerText()).toContain('A host muted you');
  });

  it('removes a guest, who sees why and does not come back by themself', async () => {
    const [host, guest] = await hostAndGuest();
    await lineOf(host, 'Gus').click();
    await host.part('remove-person').click();
    await expect.poll(() => guest.part('ended').getAttribute('data-reason'), soon).toBe('removed');
    expect(await guest.part('again').count()).toBe(0);
    await expect.poll(() => host.part('person').count(), soon).toBe(1);
  });

  it('locks the room, and lets in whom they choose', async () => {
    const [host] = await hostAndGuest();
    await host.part('host-menu').click();
    await host.part('lock').click();
    await host.page.getByText('Locked', { exact: true }).waitFor();
    const late = await at(`board-${number}`);
    await late.knock('Lea');
    await late.pin('0815');
    await expect.poll(() => late.part('waiting').getAttribute('data-reason'), soon).toBe('lock');
    await host.part('waiting-person').getByTestId('admit').click();
    await late.part('meeting').waitFor();
  });

  it('ends the meeting for everybody', async () => {
    const [host, guest] = await hostAndGuest();
    await host.page.keyboard.press('l');
    await host.part('end-for-all').click();
    await expect.poll(() => guest.part('ended').getAttribute('data-reason'), soon).toBe('ended');
    await expect.poll(() => host.part('ended').getAttribute('data-reason'), soon).toBe('ended');
  });
});
