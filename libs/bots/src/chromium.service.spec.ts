import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clipOf, type Clip } from './clips.js';
import { fakeCameraFile, fakeDeviceSwitches, fakeMicrophoneFile } from './fake-devices.js';
import { identityReader, type IdentityReader } from './identity-reader.js';
import { markOf, writeMark } from './mark.js';
import { personaOf } from './persona.js';
import { scriptOf } from './script.js';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return --
   what is evaluated in the page uses the DOM, whose types would make globals of this Node library ambiguous. */
declare const isthmusIdentity: IdentityReader;

/** What Chromium makes of our pictures and voices: the decoder, camera and microphone are its own. */
describe('Chromium', { timeout: 60_000 }, () => {
  const camera = personaOf(6);
  let clip: Clip;
  let folder: string;
  let server: Server;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    clip = await clipOf(personaOf(2), { hdKbps: 300 });
    folder = await mkdtemp(join(tmpdir(), 'isthmus-bots-'));
    const script = scriptOf([{ who: camera.name, atMs: 1_500, forMs: 1_500 }]);
    const microphone = await fakeMicrophoneFile(camera, script, join(folder, 'speech.wav'), { tailMs: 20_000 });
    server = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<!doctype html><title>spec</title>'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch({
      executablePath: process.env['CHROMIUM_BIN'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', ...fakeDeviceSwitches(await fakeCameraFile(camera), microphone)],
    });
    page = await browser.newPage();
    await page.addInitScript(await identityReader());
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    server?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('decodes every marked frame of both layers and finds who it is in each', async () => {
    for (const layer of ['small', 'large'] as const) {
      const video = clip[layer];
      const frames = video.frames.map((frame, i) => ({
        key: video.keyFrames.includes(i),
        bytes: Buffer.concat([frame, writeMark({ sender: markOf('nyc-1'), layer, frame: i })]).toString('base64'),
      }));
      const decoded = await page.evaluate(async (chunks) => {
        const { VideoDecoder, EncodedVideoChunk, document } = globalThis as unknown as Record<string, any>;
        const found: (number | null)[] = [];
        const failures: string[] = [];
        const decoder = new VideoDecoder({
          output: (frame: { displayWidth: number; displayHeight: number; close(): void }) => {
            const canvas = document.createElement('canvas');
            canvas.videoWidth = canvas.width = frame.displayWidth;
            canvas.videoHeight = canvas.height = frame.displayHeight;
            canvas.getContext('2d').drawImage(frame, 0, 0);
            found.push(isthmusIdentity.read(canvas).number);
            frame.close();
          },
          error: (error: Error) => failures.push(error.message),
        });
        decoder.configure({ codec: 'vp8' });
        chunks.forEach(({ key, bytes }, i) =>
          decoder.decode(
            new EncodedVideoChunk({
              type: key ? 'key' : 'delta',
              timestamp: i * 40_000,
              data: Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0)),
            }),
          ),
        );
        await decoder.flush();
        return { found, failures };
      }, frames);
      expect(decoded.failures).toEqual([]);
      expect(decoded.found).toEqual(frames.map(() => clip.persona.number));
    }
  });

  it('films the persona we hand it as a camera, moving', async () => {
    const looks = await page.evaluate(async () => {
      const { navigator, document } = globalThis as unknown as Record<string, any>;
      const video = document.createElement('video');
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
      await video.play();
      const first = isthmusIdentity.read(video);
      let later = first;
      for (let looks = 0; looks < 100 && later.time === first.time; looks++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        later = isthmusIdentity.read(video);
      }
      return [first, later] as const;
    });
    expect(looks[0]).toMatchObject({ number: camera.number, width: 640, height: 360 });
    expect(looks[1].number).toBe(camera.number);
    expect(looks[1].time).toBeGreaterThan(looks[0].time);
  });

  it('hears the persona speak at the times of the script, and silence between', async () => {
    const levels = await page.evaluate(async () => {
      const { navigator, AudioContext } = globalThis as unknown as Record<string, any>;
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      });
      const context = new AudioContext();
      const analyser = context.createAnalyser();
      context.createMediaStreamSource(stream).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      const isLoud = async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        analyser.getFloatTimeDomainData(samples);
        return Math.max(...samples.map(Math.abs)) > 0.02;
      };
      const began = performance.now();
      const soFar = () => performance.now() - began;
      const loudAtMs: number[] = [];
      // Until the turn is over: a second and a half of silence after it.
      while (soFar() < 20_000 && !(loudAtMs.length > 0 && soFar() - loudAtMs.at(-1)! > 1_500)) if (await isLoud()) loudAtMs.push(soFar());
      return { loudAtMs, endedMs: soFar() };
    });
    // Begins after 1.5 s and lasts as long; a busy machine plays it late and looks seldom, but the silence around it stays.
    expect(levels.loudAtMs.length).toBeGreaterThan(3);
    const [first, last] = [levels.loudAtMs[0]!, levels.loudAtMs.at(-1)!];
    expect(first).toBeGreaterThan(1_000);
    expect(last - first).toBeLessThan(3_000);
    expect(levels.endedMs).toBeLessThan(20_000);
  });
});
