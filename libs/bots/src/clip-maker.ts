import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { audioLevel, readOggOpus, readWav } from './clip-files.js';
import { runTool } from './media-tools.js';
import type { Persona } from './persona.js';
import { sceneOf } from './scene.js';

/** Makes the files of one persona in a folder: pictures in two sizes, speech, and how loud each 20 ms of it is. */
export const LARGE = { width: 1280, height: 720, framesPerSecond: 24 } as const;
export const SMALL = { width: 320, height: 180, framesPerSecond: 12 } as const;
export const LOOP_SECONDS = 8;
export const AUDIO_RATE = 48_000;
export const AUDIO_FRAME_SAMPLES = 960;
/** What ffmpeg's libopus puts before the first sample it was given (RFC 7845 §4.2). */
const PRE_SKIP_SAMPLES = 312;
/** S13: a thumbnail stays under a tenth of the HD stream on the wire, headers and marks included. */
export const SMALL_PART = 1 / 15;
/** IVF's header per frame, which never travels. */
const IVF_FRAME_HEADER_BYTES = 12;

export interface Shape {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
}

/** One loop of a persona's scene, picture by picture, in I420. */
export async function* cameraFrames(persona: Persona, { width, height, framesPerSecond }: Shape): AsyncGenerator<Buffer> {
  const scene = sceneOf(persona, width, height);
  const count = LOOP_SECONDS * framesPerSecond;
  // The pipe may hold a chunk while the next picture is drawn on the same canvas: hand out copies.
  for (let i = 0; i < count; i++) yield Buffer.from(scene.at(i / count).bytes);
}

const raw = ({ width, height, framesPerSecond }: Shape) =>
  ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`, '-r', String(framesPerSecond)] as const;

/** Key frame every half second, no alternate reference frames (their packets have no picture), one token partition. */
const vp8 = (kbps: number, framesPerSecond: number) =>
  [
    '-c:v',
    'libvpx',
    '-b:v',
    `${kbps}k`,
    '-minrate',
    `${kbps}k`,
    '-maxrate',
    `${kbps}k`,
    '-bufsize',
    `${kbps}k`,
    '-g',
    String(framesPerSecond / 2),
    '-keyint_min',
    String(framesPerSecond / 2),
    '-auto-alt-ref',
    '0',
    '-lag-in-frames',
    '0',
    '-qmin',
    '4',
    '-qmax',
    '63',
    '-undershoot-pct',
    '95',
    '-threads',
    '1',
  ] as const;

const quiet = ['-hide_banner', '-loglevel', 'error', '-y', '-nostdin'] as const;
const bare = ['-fflags', '+bitexact', '-flags:v', '+bitexact', '-f', 'ivf'] as const;

/** `large.ivf` at about `kbps` and `small.ivf` at its fifteenth or less. */
export const makePictures = async (persona: Persona, kbps: number, folder: string): Promise<void> => {
  const thumbnails = join(folder, 'small.yuv');
  await runTool(
    'ffmpeg',
    [
      '-hide_banner',
      '-loglevel',
      'error',
      '-y',
      ...raw(LARGE),
      '-i',
      'pipe:0',
      ...vp8(kbps, LARGE.framesPerSecond),
      '-deadline',
      'realtime',
      '-cpu-used',
      '8',
      ...bare,
      join(folder, 'large.ivf'),
      '-vf',
      `fps=${SMALL.framesPerSecond},scale=${SMALL.width}:${SMALL.height}:flags=area`,
      '-f',
      'rawvideo',
      thumbnails,
    ],
    cameraFrames(persona, LARGE),
  );
  const largeKbps = await rateOf(join(folder, 'large.ivf'), LARGE.framesPerSecond);
  // VP8's rate control misses low targets with so many key frames; ask for less until the outcome fits.
  const wanted = largeKbps * SMALL_PART;
  for (let target = wanted, round = 0; ; target *= 0.8, round++) {
    const small = join(folder, 'small.ivf');
    await runTool('ffmpeg', [
      ...quiet,
      ...raw(SMALL),
      '-i',
      thumbnails,
      ...vp8(Math.max(4, Math.round(target)), SMALL.framesPerSecond),
      '-deadline',
      'good',
      '-cpu-used',
      '2',
      ...bare,
      small,
    ]);
    if ((await rateOf(small, SMALL.framesPerSecond)) <= wanted || round === 5) break;
  }
};

const rateOf = async (ivf: string, framesPerSecond: number): Promise<number> => {
  const { size } = await stat(ivf);
  return ((size - 32 - IVF_FRAME_HEADER_BYTES * LOOP_SECONDS * framesPerSecond) * 8) / LOOP_SECONDS / 1000;
};

/** `speech.wav` (48 kHz mono), `speech.ogg` (Opus, 20 ms) and `speech.levels` (one byte of -dBov per Opus packet). */
export const makeSpeech = async (persona: Persona, folder: string): Promise<void> => {
  const wav = join(folder, 'speech.wav');
  const spoken = join(folder, 'spoken.wav');
  const { espeak, pitch, wordsPerMinute } = persona.voice;
  await runTool('espeak-ng', ['-v', espeak, '-p', String(pitch), '-s', String(wordsPerMinute), '-w', spoken, persona.says]);
  // Silence at either end goes, so that a voice begins with its first syllable; loudness is made the same for all.
  const trimmed =
    'silenceremove=start_periods=1:start_threshold=-45dB,areverse,silenceremove=start_periods=1:start_threshold=-45dB,areverse,dynaudnorm=f=200:g=11:p=0.5';
  await runTool('ffmpeg', [
    ...quiet,
    '-i',
    spoken,
    '-af',
    trimmed,
    '-ar',
    String(AUDIO_RATE),
    '-ac',
    '1',
    '-c:a',
    'pcm_s16le',
    '-fflags',
    '+bitexact',
    wav,
  ]);
  await runTool('ffmpeg', [
    ...quiet,
    '-i',
    wav,
    '-c:a',
    'libopus',
    '-b:a',
    '24k',
    '-application',
    'voip',
    '-frame_duration',
    '20',
    '-fflags',
    '+bitexact',
    '-f',
    'ogg',
    join(folder, 'speech.ogg'),
  ]);
  const samples = readWav(await readFile(wav), wav);
  const packets = readOggOpus(await readFile(join(folder, 'speech.ogg')), 'speech.ogg');
  const levels = packets.map((_, i) => {
    const from = i * AUDIO_FRAME_SAMPLES - PRE_SKIP_SAMPLES;
    return audioLevel(samples.subarray(Math.max(0, from), Math.max(0, from + AUDIO_FRAME_SAMPLES)));
  });
  await writeFile(join(folder, 'speech.levels'), Buffer.from(levels));
};
