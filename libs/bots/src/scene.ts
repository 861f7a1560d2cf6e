import { Canvas, yuvOf, type Yuv } from './canvas.js';
import { IDENTITY_HEIGHT, identityCells } from './identity.js';
import { textWidth, write } from './letters.js';
import type { Persona, Rgb } from './persona.js';

/**
 * A persona in front of a camera: sways, nods, blinks and talks while lights drift behind. Everything is periodic in the
 * clip's length, so that a loop has no seam, and enough moves that a standing picture is told from a live one.
 */
export interface Scene {
  /** The picture at `phase` of the loop, 0 to 1. The same canvas each time. */
  at(phase: number): Canvas;
}

const WHITE = yuvOf([244, 246, 250]);
const BLACK = yuvOf([12, 14, 20]);
const LIGHTS = 6;

const shade = ([r, g, b]: Rgb, factor: number): Rgb => [Math.min(255, r * factor), Math.min(255, g * factor), Math.min(255, b * factor)];

export const sceneOf = (persona: Persona, width: number, height: number): Scene => {
  const background = new Canvas(width, height);
  background.gradient(...persona.background);
  const canvas = new Canvas(width, height);
  const colours = {
    skin: yuvOf(persona.skin),
    shadow: yuvOf(shade(persona.skin, 0.82)),
    hair: yuvOf(persona.hair),
    clothes: yuvOf(persona.clothes),
    collar: yuvOf(shade(persona.clothes, 1.35)),
    lips: yuvOf(shade(persona.skin, 0.6)),
  };
  return {
    at(phase) {
      canvas.copyFrom(background);
      lights(canvas, phase, persona.number);
      person(canvas, phase, persona, colours);
      caption(canvas, persona);
      identity(canvas, persona.number);
      return canvas;
    },
  };
};

const wave = (phase: number, times: number, shift = 0): number => Math.sin(2 * Math.PI * (phase * times + shift));

const lights = (canvas: Canvas, phase: number, seed: number): void => {
  const { width, height } = canvas;
  for (let i = 0; i < LIGHTS; i++) {
    const shift = (seed * 0.37 + i * 0.618) % 1;
    const x = width * (((i + 0.5) / LIGHTS + 0.06 * wave(phase, 1 + (i % 2), shift)) % 1);
    const y = height * (0.32 + 0.2 * wave(phase, 1, shift + 0.25) + 0.1 * (i % 3));
    const size = height * (0.09 + 0.03 * (i % 3));
    canvas.ellipse(x, y, size, size, WHITE, 0.1);
  }
};

type Colours = Readonly<Record<'skin' | 'shadow' | 'hair' | 'clothes' | 'collar' | 'lips', Yuv>>;

const person = (canvas: Canvas, phase: number, persona: Persona, colours: Colours): void => {
  const unit = canvas.height / 100;
  const x = canvas.width / 2 + unit * 3.2 * wave(phase, 2);
  const y = unit * (44 + 1.3 * wave(phase, 4, 0.2));
  const turn = unit * 1.6 * wave(phase, 3, 0.1);
  if (persona.hairStyle === 1) canvas.ellipse(x, y + unit * 7, unit * 18.5, unit * 25, colours.hair);
  if (persona.hairStyle === 2) canvas.ellipse(x + turn / 2, y - unit * 23, unit * 7, unit * 6.5, colours.hair);
  canvas.ellipse(x - unit * 0.8, unit * 108, unit * 41, unit * 36, colours.clothes);
  canvas.ellipse(x, unit * 74, unit * 12, unit * 6, colours.collar);
  canvas.rectangle(x - unit * 6, y + unit * 12, x + unit * 6, unit * 73, colours.shadow);
  canvas.ellipse(x, unit * 73, unit * 6, unit * 3.4, colours.shadow);
  canvas.ellipse(x, y, unit * 15.5, unit * 20, colours.skin);
  canvas.ellipse(x, y - unit * 4.5, unit * 16.5, unit * 17.5, colours.hair, 1, 0, 0.42);
  const blink = phase % 0.25 < 0.02 ? 0.25 : 1;
  for (const side of [-1, 1]) {
    const eye = x + side * unit * 6 + turn;
    canvas.ellipse(eye, y - unit * 1.5, unit * 2.6, unit * 1.9 * blink, WHITE);
    canvas.ellipse(eye + turn * 0.3, y - unit * 1.5, unit * 1.2, unit * 1.5 * blink, BLACK);
  }
  canvas.stroke(x + turn, y + unit * 1, x + turn * 1.25, y + unit * 5, unit * 1.2, colours.shadow);
  const open = Math.abs(wave(phase, 13)) * (0.55 + 0.45 * wave(phase, 5, 0.3));
  canvas.ellipse(x + turn, y + unit * 11, unit * 4.6, unit * (0.9 + 2.4 * Math.max(0, open)), colours.lips);
};

const caption = (canvas: Canvas, persona: Persona): void => {
  const { width, height } = canvas;
  const margin = height * 0.06;
  write(canvas, persona.initials, margin, margin, height * 0.2, height * 0.032, WHITE);
  const size = height * 0.052;
  const room = textWidth(persona.name, size);
  const bottom = height * (1 - IDENTITY_HEIGHT) - margin * 0.7;
  const left = (width - room) / 2;
  canvas.rectangle(left - size * 0.8, bottom - size * 1.7, left + room + size * 0.8, bottom, BLACK);
  write(canvas, persona.name, left, bottom - size * 1.35, size, size * 0.16, WHITE);
};

const identity = (canvas: Canvas, number: number): void => {
  const cells = identityCells(number);
  cells.forEach((white, i) => {
    const at = (n: number) => (canvas.width * n) / cells.length;
    canvas.rectangle(at(i), canvas.height * (1 - IDENTITY_HEIGHT), at(i + 1), canvas.height, white ? WHITE : BLACK);
  });
};
