/** @typedef {import('playwright-core').Page} Page */

const FRAME_WITHIN_MS = 20_000;

/** In the lobby of the meeting client: waits until the door is open, and clicks Join. @param {Page} page @param {number} join */
export const enterMeeting = async (page, join) => {
  await page.getByTestId('name').fill(`Joiner ${join}`);
  await page.locator('[data-testid=preview] video').waitFor();
  await page.locator('.dot[data-state=open]').waitFor();
  await page.getByTestId('join').click();
};

/** By the page's own marks, in the order they were reached. @param {Page} page @returns {Promise<Record<string, number>>} ms since the click */
export const clickToFrame = async (page) => {
  await page.waitForFunction(() => performance.getEntriesByName('isthmus:first-frame').length > 0, undefined, { timeout: FRAME_WITHIN_MS });
  const marks = await page.evaluate(() =>
    performance.getEntriesByType('mark').map(({ name, startTime }) => ({ name: name.replace('isthmus:', ''), at: startTime })),
  );
  const click = marks.find(({ name }) => name === 'click')?.at ?? NaN;
  return Object.fromEntries(marks.filter(({ name }) => name !== 'click').map(({ name, at }) => [name, at - click]));
};
