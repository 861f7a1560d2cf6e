import type { Rgb } from './persona.js';

/**
 * A picture in I420, drawn with the few shapes that a scene needs. Written straight into the encoder's format, so that no
 * image library, font or colour conversion has to be installed or waited for. Edges are smoothed along the rows.
 */
export interface Yuv {
  readonly y: number;
  readonly u: number;
  readonly v: number;
}

/** BT.601, limited range: what VP8 decoders assume. */
export const yuvOf = ([r, g, b]: Rgb): Yuv => ({
  y: 16 + (65.738 * r + 129.057 * g + 25.064 * b) / 256,
  u: 128 + (-37.945 * r - 74.494 * g + 112.439 * b) / 256,
  v: 128 + (112.439 * r - 94.154 * g - 18.285 * b) / 256,
});

export class Canvas {
  readonly bytes: Buffer;
  private readonly halfWidth: number;
  private readonly uAt: number;
  private readonly vAt: number;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.halfWidth = width / 2;
    this.uAt = width * height;
    this.vAt = this.uAt + this.uAt / 4;
    this.bytes = Buffer.alloc((this.uAt * 3) / 2);
  }

  copyFrom(other: Canvas): void {
    other.bytes.copy(this.bytes);
  }

  gradient(from: Rgb, to: Rgb): void {
    for (let y = 0; y < this.height; y++)
      for (let x = 0; x < this.width; x++) {
        const part = (x / this.width + y / this.height) / 2;
        const colour = yuvOf([0, 1, 2].map((i) => from[i]! + (to[i]! - from[i]!) * part) as unknown as Rgb);
        this.bytes[y * this.width + x] = colour.y;
        if (!(x & 1) && !(y & 1)) {
          const at = (y >> 1) * this.halfWidth + (x >> 1);
          this.bytes[this.uAt + at] = colour.u;
          this.bytes[this.vAt + at] = colour.v;
        }
      }
  }

  rectangle(left: number, top: number, right: number, bottom: number, colour: Yuv): void {
    for (let y = Math.max(0, Math.round(top)); y < Math.min(this.height, Math.round(bottom)); y++) this.row(y, left, right, colour, 1);
  }

  /** An ellipse, turned by nothing; `from` and `to` cut it (0 top, 1 bottom). */
  ellipse(cx: number, cy: number, rx: number, ry: number, colour: Yuv, opacity = 1, from = 0, to = 1): void {
    const top = Math.max(0, Math.ceil(cy - ry + 2 * ry * from));
    const bottom = Math.min(this.height - 1, Math.floor(cy - ry + 2 * ry * to));
    for (let y = top; y <= bottom; y++) {
      const half = rx * Math.sqrt(Math.max(0, 1 - ((y - cy) / ry) ** 2));
      this.row(y, cx - half, cx + half, colour, opacity);
    }
  }

  /** A stroke with round ends. */
  stroke(x1: number, y1: number, x2: number, y2: number, thickness: number, colour: Yuv): void {
    const r = thickness / 2;
    const length = Math.hypot(x2 - x1, y2 - y1);
    for (let y = Math.max(0, Math.floor(Math.min(y1, y2) - r)); y <= Math.min(this.height - 1, Math.ceil(Math.max(y1, y2) + r)); y++) {
      // Where this row crosses the capsule: the union of its two end discs and the slab between them.
      let left = Infinity;
      let right = -Infinity;
      const widen = (from: number, to: number): void => {
        left = Math.min(left, from);
        right = Math.max(right, to);
      };
      for (const [cx, cy] of [
        [x1, y1],
        [x2, y2],
      ] as const) {
        const half = r * r - (y - cy) ** 2;
        if (half >= 0) widen(cx - Math.sqrt(half), cx + Math.sqrt(half));
      }
      if (length > 0) {
        const nx = (-(y2 - y1) / length) * r;
        const ny = ((x2 - x1) / length) * r;
        const corners = [
          [x1 + nx, y1 + ny],
          [x2 + nx, y2 + ny],
          [x2 - nx, y2 - ny],
          [x1 - nx, y1 - ny],
        ] as const;
        corners.forEach(([ax, ay], i) => {
          const [bx, by] = corners[(i + 1) % 4]!;
          if ((ay <= y && by >= y) || (by <= y && ay >= y)) {
            const x = ay === by ? ax : ax + ((y - ay) / (by - ay)) * (bx - ax);
            widen(x, x);
            if (ay === by) widen(bx, bx);
          }
        });
      }
      if (right >= left) this.row(y, left, right, colour, 1);
    }
  }

  private row(y: number, left: number, right: number, colour: Yuv, opacity: number): void {
    const from = Math.max(0, left);
    const to = Math.min(this.width, right);
    if (to <= from) return;
    const first = Math.ceil(from);
    const last = Math.floor(to);
    const base = y * this.width;
    if (opacity === 1) {
      if (last > first) this.bytes.fill(colour.y, base + first, base + last);
    } else for (let x = first; x < last; x++) this.blend(base + x, colour.y, opacity);
    if (first > from) this.blend(base + first - 1, colour.y, (first - from) * opacity);
    if (last < to) this.blend(base + last, colour.y, (to - last) * opacity);
    if (y & 1) return;
    const half = (y >> 1) * this.halfWidth;
    const firstHalf = Math.round(from / 2);
    const lastHalf = Math.round(to / 2);
    if (opacity === 1) {
      this.bytes.fill(colour.u, this.uAt + half + firstHalf, this.uAt + half + lastHalf);
      this.bytes.fill(colour.v, this.vAt + half + firstHalf, this.vAt + half + lastHalf);
    } else
      for (let x = firstHalf; x < lastHalf; x++) {
        this.blend(this.uAt + half + x, colour.u, opacity);
        this.blend(this.vAt + half + x, colour.v, opacity);
      }
  }

  private blend(at: number, value: number, part: number): void {
    const old = this.bytes[at]!;
    this.bytes[at] = old + (value - old) * part;
  }
}
