import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';

/** What {@link identityReader} puts into a page, as `globalThis.isthmusIdentity`. */
export interface IdentityReader {
  /** The persona's number in what the video shows now, null if there is none; and that it moves: `time` and `width` of the picture. */
  read(video: unknown): { readonly number: number | null; readonly width: number; readonly height: number; readonly time: number };
}

/**
 * A script for a page (Playwright's `addInitScript`) that reads identities from decoded pixels of `<video>` elements, whatever
 * the page does with them. Made from identity.ts itself, so that writer and reader are one.
 */
export const identityReader = async (): Promise<string> => {
  const compiled = new URL('./identity.js', import.meta.url);
  const module = await readFile(fileURLToPath(compiled), 'utf8').catch(async () =>
    // Run from sources: the types go, the rest stays.
    stripTypeScriptTypes(await readFile(fileURLToPath(new URL('./identity.ts', import.meta.url)), 'utf8')),
  );
  return `globalThis.isthmusIdentity = (() => {
    ${module.replaceAll(/^export /gm, '').replace(/^\/\/# sourceMappingURL.*$/m, '')}
    const canvas = document.createElement('canvas');
    return {
      read(video) {
        const { videoWidth: width, videoHeight: height, currentTime: time } = video;
        if (!width) return { number: null, width: 0, height: 0, time };
        canvas.width = 320;
        canvas.height = 180;
        const context = canvas.getContext('2d', { willReadFrequently: true });
        context.drawImage(video, 0, 0, canvas.width, canvas.height);
        return { number: readIdentity(context.getImageData(0, 0, canvas.width, canvas.height)), width, height, time };
      },
    };
  })();`;
};
