/** A place on the stage, in CSS pixels from its top left. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface StageLayout {
  readonly main: Rect;
  readonly thumbnails: readonly Rect[];
}

const WIDE = 16 / 9;
/** On a tall screen the main picture may be this much less wide than it came. */
const LEAST_WIDE = 4 / 3;
/** Thumbnails are at least this share of the stage's longer side, within these bounds, px: small, and still faces. */
const THUMBNAIL_SHARE = 0.125;
const THUMBNAIL_WIDTH_MIN = 104;
const THUMBNAIL_WIDTH_COMFORTABLE = 184;
const THUMBNAIL_WIDTH_MAX = 256;
const STEP = 4;

const fit = (width: number, height: number): { width: number; height: number } => {
  if (width / height > WIDE) return { width: height * WIDE, height };
  return { width, height: Math.min(height, width / LEAST_WIDE) };
};

interface Candidate {
  readonly score: number;
  readonly layout: StageLayout;
}

const better = (a: Candidate | null, b: Candidate | null): Candidate | null => (a === null || (b !== null && b.score > a.score) ? b : a);

/** The main picture counts for more than all thumbnails together; among equals, larger thumbnails win. */
const scored = (main: Rect, thumbnails: readonly Rect[]): Candidate => ({
  score: main.width * main.height * 2.5 + thumbnails.reduce((sum, { width, height }) => sum + width * height, 0),
  layout: { main, thumbnails },
});

const below = (width: number, height: number, count: number, rows: number, thumbnail: number, gap: number): Candidate | null => {
  const perRow = Math.ceil(count / rows);
  const thumbnailHeight = thumbnail / WIDE;
  const strip = rows * thumbnailHeight + (rows - 1) * gap;
  const room = height - strip - gap;
  if (perRow * thumbnail + (perRow - 1) * gap > width || room < thumbnailHeight) return null;
  const size = fit(width, room);
  if (size.width < thumbnail * 1.5) return null;
  const top = (height - size.height - gap - strip) / 2;
  const main = { ...size, x: (width - size.width) / 2, y: top };
  const thumbnails = Array.from({ length: count }, (_, at) => {
    const row = Math.floor(at / perRow);
    const inRow = Math.min(perRow, count - row * perRow);
    const left = (width - inRow * thumbnail - (inRow - 1) * gap) / 2;
    return {
      x: left + (at % perRow) * (thumbnail + gap),
      y: top + size.height + gap + row * (thumbnailHeight + gap),
      width: thumbnail,
      height: thumbnailHeight,
    };
  });
  return scored(main, thumbnails);
};

const beside = (width: number, height: number, count: number, columns: number, thumbnail: number, gap: number): Candidate | null => {
  const perColumn = Math.ceil(count / columns);
  const thumbnailHeight = thumbnail / WIDE;
  const strip = columns * thumbnail + (columns - 1) * gap;
  const stripHeight = perColumn * thumbnailHeight + (perColumn - 1) * gap;
  const room = width - strip - gap;
  if (stripHeight > height || room < thumbnail * 1.5) return null;
  const size = fit(room, height);
  const left = (width - size.width - gap - strip) / 2;
  const main = { ...size, x: left, y: (height - size.height) / 2 };
  const top = main.y + (size.height - stripHeight) / 2;
  const thumbnails = Array.from({ length: count }, (_, at) => ({
    x: left + size.width + gap + Math.floor(at / perColumn) * (thumbnail + gap),
    y: Math.max(0, top) + (at % perColumn) * (thumbnailHeight + gap),
    width: thumbnail,
    height: thumbnailHeight,
  }));
  return scored(main, thumbnails);
};

const bestFrom = (least: number, width: number, height: number, count: number, gap: number): Candidate | null => {
  let best: Candidate | null = null;
  for (let thumbnail = least; thumbnail <= THUMBNAIL_WIDTH_MAX; thumbnail += STEP) {
    for (let lines = 1; lines <= 4; lines += 1) {
      best = better(best, below(width, height, count, lines, thumbnail, gap));
      best = better(best, beside(width, height, count, lines, thumbnail, gap));
    }
  }
  return best;
};

/**
 * Where everybody goes: one large picture and up to seven small ones in order, below or beside it, whichever leaves the
 * large one larger in the space there is. Nothing overlaps and nothing leaves the stage.
 */
export const layoutStage = (width: number, height: number, count: number, gap = 8): StageLayout => {
  if (width <= 0 || height <= 0) return { main: { x: 0, y: 0, width: 0, height: 0 }, thumbnails: [] };
  const whole = fit(width, height);
  const alone = { ...whole, x: (width - whole.width) / 2, y: (height - whole.height) / 2 };
  if (count === 0) return { main: alone, thumbnails: [] };
  const comfortable = Math.min(THUMBNAIL_WIDTH_COMFORTABLE, Math.max(THUMBNAIL_WIDTH_MIN, Math.max(width, height) * THUMBNAIL_SHARE));
  const best = bestFrom(comfortable, width, height, count, gap) ?? bestFrom(THUMBNAIL_WIDTH_MIN / 2, width, height, count, gap);
  // A space too small for all of it: the speaker stays, the others are in the roster.
  return best?.layout ?? { main: alone, thumbnails: [] };
};
