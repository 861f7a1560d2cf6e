import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWav } from './clip-files.js';
import { AUDIO_RATE, cameraFrames } from './clip-maker.js';
import { cached, cacheFolder, speechSamples, type ClipOptions } from './clips.js';
import { runTool } from './media-tools.js';
import type { Persona } from './persona.js';
import type { Script } from './script.js';

/**
 * Camera and microphone for a real browser, played from the same scenes and voices as bots have: Chromium takes them with
 * `--use-file-for-fake-video-capture` and `--use-file-for-fake-audio-capture` beside `--use-fake-device-for-media-stream`.
 */
export interface FakeCameraOptions extends Pick<ClipOptions, 'folder' | 'onProgress'> {
  /** 16:9; 640 keeps a browser's encoder under a quarter of a core. */
  readonly width?: 640 | 1280;
}
/** Chromium plays any Motion JPEG file at this rate. */
const CHROMIUM_FPS = 30;

/** A Motion JPEG file that Chromium repeats for ever; the picture carries the persona's identity. */
export const fakeCameraFile = async (
  persona: Persona,
  { width = 640, folder = cacheFolder(), onProgress }: FakeCameraOptions = {},
): Promise<string> => {
  const height = (width * 9) / 16;
  const made = await cached(join(folder, `camera-${persona.number}-${width}`), async (into) => {
    onProgress?.(`Filming ${persona.name} for a browser`);
    await runTool(
      'ffmpeg',
      [
        '-hide_banner',
        '-loglevel',
        'error',
        '-y',
        '-f',
        'rawvideo',
        '-pix_fmt',
        'yuv420p',
        '-s',
        `${width}x${height}`,
        '-r',
        String(CHROMIUM_FPS),
        '-i',
        'pipe:0',
        '-pix_fmt',
        'yuvj420p',
        '-c:v',
        'mjpeg',
        '-q:v',
        '4',
        '-f',
        'mjpeg',
        join(into, 'camera.mjpeg'),
      ],
      cameraFrames(persona, { width, height, framesPerSecond: CHROMIUM_FPS }),
    );
  });
  return join(made, 'camera.mjpeg');
};

export interface FakeMicrophoneOptions extends Pick<ClipOptions, 'folder' | 'onProgress'> {
  /** Whose turns of the script are spoken; default: the persona's name. */
  readonly as?: string;
  /** Silence after the last turn, before Chromium begins again; default: until the script is over and a minute more. */
  readonly tailMs?: number;
}

/**
 * A WAV file in which the persona says its turns of the script. Chromium begins it when the page opens the microphone and
 * repeats it at the end; append `%noloop` to the file's name in the switch to prevent that.
 */
export const fakeMicrophoneFile = async (
  persona: Persona,
  script: Script,
  to: string,
  options: FakeMicrophoneOptions = {},
): Promise<string> => {
  const { as = persona.name, tailMs = 60_000 } = options;
  const voice = await speechSamples(persona, options);
  const samplesOf = (ms: number) => Math.round((ms * AUDIO_RATE) / 1_000);
  const samples = new Int16Array(samplesOf(script.lengthMs + tailMs));
  for (const turn of script.turns.filter(({ who }) => who === as)) {
    const from = samplesOf(turn.atMs);
    const length = samplesOf(turn.forMs);
    for (let i = 0; i < length; i++) samples[from + i] = voice[i % voice.length]!;
  }
  await writeFile(to, writeWav(samples, AUDIO_RATE));
  return to;
};

/** Chromium's switches for one participant. */
export const fakeDeviceSwitches = (camera: string, microphone?: string): string[] => [
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  `--use-file-for-fake-video-capture=${camera}`,
  ...(microphone ? [`--use-file-for-fake-audio-capture=${microphone}`] : []),
];
