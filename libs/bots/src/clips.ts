import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Fault } from '@isthmus/kernel';
import { readIvf, readOggOpus, readWav } from './clip-files.js';
import { LARGE, LOOP_SECONDS, makePictures, makeSpeech, SMALL } from './clip-maker.js';
import type { Persona } from './persona.js';
import { isKeyFrame } from './vp8.js';

/**
 * What bots show and say: encoded once per persona and bit rate, kept in a cache of the user's, shared by all bots of a
 * process. Folders appear whole or not at all, so that two processes may make the same clip at the same time.
 */
/** Change when scene, voice or encoding changes: the cache then makes everything anew. */
const CLIPS_VERSION = '1';

export interface VideoClip {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  readonly frames: readonly Buffer[];
  /** Indexes of frames that need no other, ascending; the first is 0. */
  readonly keyFrames: readonly number[];
  readonly kbps: number;
}

export interface AudioClip {
  /** Opus packets of 20 ms. */
  readonly packets: readonly Buffer[];
  /** -dBov of each packet. */
  readonly levels: readonly number[];
}

export interface Clip {
  readonly persona: Persona;
  readonly large: VideoClip;
  readonly small: VideoClip;
  readonly speech: AudioClip;
}

export const cacheFolder = (): string =>
  join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'isthmus', 'clips', CLIPS_VERSION);

export interface ClipOptions {
  /** Bit rate of the large layer. The small one has a fifteenth of it. */
  readonly hdKbps?: number;
  readonly folder?: string;
  readonly onProgress?: (line: string) => void;
}

export const HD_KBPS_DEFAULT = 600;

const loaded = new Map<string, Promise<Clip>>();

/** The clip of a persona; made when it is not in the cache. */
export const clipOf = (persona: Persona, options: ClipOptions = {}): Promise<Clip> => {
  const { hdKbps = HD_KBPS_DEFAULT, folder = cacheFolder() } = options;
  const key = `${folder}/${persona.number}/${hdKbps}`;
  const known = loaded.get(key);
  if (known) return known;
  const clip = load(persona, hdKbps, folder, options.onProgress);
  loaded.set(key, clip);
  // A failed attempt must not be remembered: the missing tool may be installed by then.
  clip.catch(() => loaded.delete(key));
  return clip;
};

/** Clips of several personas, one after the other: drawing and encoding already keep two cores busy. */
export const makeClips = async (personas: readonly Persona[], options: ClipOptions = {}): Promise<Clip[]> => {
  const clips: Clip[] = [];
  for (const persona of personas) clips.push(await clipOf(persona, options));
  return clips;
};

/** Folder with `speech.wav`, `speech.ogg`, `speech.levels`. */
export const speechFolder = (persona: Persona, { folder = cacheFolder(), onProgress }: ClipOptions = {}): Promise<string> =>
  cached(join(folder, `speech-${persona.number}`), (into) => {
    onProgress?.(`Recording the voice of ${persona.name}`);
    return makeSpeech(persona, into);
  });

const load = async (persona: Persona, hdKbps: number, folder: string, onProgress?: (line: string) => void): Promise<Clip> => {
  const pictures = await cached(join(folder, `pictures-${persona.number}-${hdKbps}`), async (into) => {
    onProgress?.(`Filming ${persona.name} (${hdKbps} kbit/s)`);
    await makePictures(persona, hdKbps, into);
    await rm(join(into, 'small.yuv'));
  });
  const speech = await speechFolder(persona, { folder, ...(onProgress && { onProgress }) });
  const read = (path: string) => readFile(path);
  return {
    persona,
    large: videoClip(readIvf(await read(join(pictures, 'large.ivf')), join(pictures, 'large.ivf')), LARGE),
    small: videoClip(readIvf(await read(join(pictures, 'small.ivf')), join(pictures, 'small.ivf')), SMALL),
    speech: {
      packets: readOggOpus(await read(join(speech, 'speech.ogg')), join(speech, 'speech.ogg')),
      levels: [...(await read(join(speech, 'speech.levels')))],
    },
  };
};

const videoClip = (frames: Buffer[], shape: { width: number; height: number; framesPerSecond: number }): VideoClip => ({
  ...shape,
  frames,
  keyFrames: frames.flatMap((frame, i) => (isKeyFrame(frame) ? [i] : [])),
  kbps: (frames.reduce((sum, { length }) => sum + length, 0) * 8) / LOOP_SECONDS / 1000,
});

/** Speech samples at 48 kHz, for a fake microphone. */
export const speechSamples = async (persona: Persona, options: ClipOptions = {}): Promise<Int16Array> => {
  const path = join(await speechFolder(persona, options), 'speech.wav');
  return readWav(await readFile(path), path);
};

/** `target`, made by `make` in a folder beside it and then renamed, unless it is there already. */
export const cached = async (target: string, make: (into: string) => Promise<void>): Promise<string> => {
  if (await exists(target)) return target;
  const into = `${target}.${process.pid}.${randomBytes(4).toString('hex')}.part`;
  await mkdir(into, { recursive: true }).catch((cause: Error) => {
    throw new Fault(
      'bots.cache-unwritable',
      `Pictures and voices of bots cannot be kept in ${target}: ${cause.message}. Make the folder writable, or set XDG_CACHE_HOME to one that is.`,
      {},
      { cause },
    );
  });
  try {
    await make(into);
    await rename(into, target);
  } catch (error) {
    await rm(into, { recursive: true, force: true });
    // Somebody else was faster: theirs is as good as ours.
    if (!(await exists(target))) throw error;
  }
  return target;
};

const exists = async (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
