import type { ConferenceDrawn, Picture, SiteDrawn } from './picture.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export const NODE = { width: 148, height: 46 } as const;
const GAP = { x: 18, y: 16 } as const;
const CONFERENCE = { width: 156, height: 66 } as const;
/** Room for the labels of a crossing between two sites; on a narrow window less, or nobody could read the rest. */
const between = (aspect: number) => ({ x: aspect < 1 ? 112 : 180, y: 130 });

/**
 * Gives everything its place, the same for the same estate: who looks again finds it where it was. Sites stand on an
 * ellipse of the window's proportions, conferences of several sites in the middle, those of one site on its outer side.
 *
 * @param aspect the window's width by its height
 */
export const arrange = (picture: Picture, aspect: number): ReadonlyMap<string, Point> => {
  const places = new Map<string, Point>();
  const centres = apart(picture.sites, centresOf(picture.sites, picture.conferences.length, aspect));
  picture.sites.forEach((site, index) => {
    const centre = centres[index] ?? { x: 0, y: 0 };
    if (site.nodes.length === 0) places.set(site.id, centre);
    spread(
      site.nodes.map(({ id }) => id),
      centre,
      columnsOf(site),
      { width: NODE.width + GAP.x, height: NODE.height + GAP.y },
      places,
    );
  });

  const sideOf = ({ sites }: ConferenceDrawn) => picture.sites.find(({ site }) => sites.includes(site))?.side ?? 0;
  for (const side of new Set(picture.sites.map((site) => site.side))) {
    const everywhere = picture.conferences.filter((one) => one.sites.length !== 1 && sideOf(one) === side);
    const middle =
      picture.sites.length === 1
        ? outside(picture.sites[0], centres[0], { x: 0, y: 1 }, everywhere.length)
        : beside(picture.sites, aspect, pushOf(picture.sites, side, centres));
    spread(
      everywhere.map(({ id }) => id),
      middle,
      columnsInTheMiddle(everywhere.length),
      CONFERENCE,
      places,
    );
  }
  picture.sites.forEach((site, index) => {
    const own = picture.conferences.filter(({ sites }) => sites.length === 1 && sites[0] === site.site).map(({ id }) => id);
    const centre = centres[index];
    if (centre && own.length > 0) spread(own, outside(site, centre, { x: 0, y: centre.y < 0 ? -1 : 1 }, own.length), 3, CONFERENCE, places);
  });
  return places;
};

/** Two sites have the labels of both crossings in the middle between them: conferences stand below, or to the right. */
const beside = (sites: readonly SiteDrawn[], aspect: number, { x, y }: Point): Point =>
  sites.length !== 2 ? { x, y } : aspect >= 1 ? { x, y: y + 150 } : { x: x + 150, y };

/** How far each side of a split is moved away from the middle. */
const APART = 110;

/** Where a side of a split is moved: away from the others, in the direction in which its sites stand anyhow. */
const pushOf = (sites: readonly SiteDrawn[], side: number, centres: readonly Point[]): Point => {
  if (sites.every((site) => site.side === side)) return { x: 0, y: 0 };
  const own = centres.filter((_, index) => sites[index]?.side === side);
  const sum = own.reduce(({ x, y }, centre) => ({ x: x + centre.x, y: y + centre.y }), { x: 0, y: 0 });
  const length = Math.hypot(sum.x, sum.y);
  return length < 1 ? { x: 0, y: 0 } : { x: Math.round((sum.x / length) * APART), y: Math.round((sum.y / length) * APART) };
};

const apart = (sites: readonly SiteDrawn[], centres: readonly Point[]): readonly Point[] =>
  centres.map((centre, index) => {
    const push = pushOf(sites, sites[index]?.side ?? 0, centres);
    return { x: centre.x + push.x, y: centre.y + push.y };
  });

/** One above the other, away from the crossings' labels, until they are many. */
const columnsInTheMiddle = (count: number): number => (count <= 3 ? 1 : Math.min(3, Math.ceil(Math.sqrt(count))));
const columnsOf = ({ nodes }: SiteDrawn): number => (nodes.length <= 3 ? 1 : Math.ceil(nodes.length / 4));
const rowsOf = (site: SiteDrawn): number => Math.max(1, Math.ceil(site.nodes.length / columnsOf(site)));
const widthOf = (site: SiteDrawn): number => columnsOf(site) * (NODE.width + GAP.x);
const heightOf = (site: SiteDrawn): number => rowsOf(site) * (NODE.height + GAP.y) + 40;

const centresOf = (sites: readonly SiteDrawn[], conferences: number, aspect: number): readonly Point[] => {
  const count = sites.length;
  if (count <= 1) return [{ x: 0, y: 0 }];
  // Two stand side by side in a wide window and one above the other in a tall one; more begin at the upper left.
  const first = count === 2 ? (aspect >= 1 ? Math.PI : -Math.PI / 2) : -Math.PI / 2 - Math.PI / count;
  const directions = sites.map((_, index) => {
    const angle = first + (2 * Math.PI * index) / count;
    return { x: Math.cos(angle), y: Math.sin(angle) };
  });
  const box = { x: Math.max(...sites.map(widthOf)), y: Math.max(...sites.map(heightOf)) };
  const columns = columnsInTheMiddle(conferences);
  const rows = Math.ceil(Math.min(conferences, 12) / columns);
  // Neighbours on a circle of n places are 2·r·sin(π/n) apart.
  const chord = 2 * Math.sin(Math.PI / count);
  const radius = {
    x: Math.max((box.x + between(aspect).x) / chord, (box.x + columns * CONFERENCE.width) / 2 + 30),
    y: Math.max((box.y + between(aspect).y) / chord, (box.y + rows * CONFERENCE.height) / 2 + 30),
  };
  // Whichever side the window leaves room on is stretched, so that the picture fills it.
  const span = { x: spanOf(directions.map(({ x }) => x)), y: spanOf(directions.map(({ y }) => y)) };
  const size = { x: span.x * radius.x + box.x, y: span.y * radius.y + box.y };
  const wanted = Math.min(2.2, Math.max(0.45, aspect));
  if (size.x < size.y * wanted && span.x > 0.1) radius.x = (size.y * wanted - box.x) / span.x;
  else if (span.y > 0.1) radius.y = Math.max(radius.y, (size.x / wanted - box.y) / span.y);
  return directions.map(({ x, y }) => ({ x: Math.round(radius.x * x), y: Math.round(radius.y * y) }));
};

const spanOf = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);

const outside = (site: SiteDrawn | undefined, centre: Point = { x: 0, y: 0 }, { y }: Point, count: number): Point => ({
  x: centre.x,
  y: centre.y + y * ((site ? heightOf(site) : 0) / 2 + (Math.ceil(count / 3) * CONFERENCE.height) / 2 + 34),
});

const spread = (
  ids: readonly string[],
  centre: Point,
  columns: number,
  cell: { readonly width: number; readonly height: number },
  places: Map<string, Point>,
): void => {
  const rows = Math.ceil(ids.length / Math.max(1, columns));
  ids.forEach((id, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, ids.length - row * columns);
    places.set(id, {
      x: centre.x + ((index % columns) - (inRow - 1) / 2) * cell.width,
      y: centre.y + (row - (rows - 1) / 2) * cell.height,
    });
  });
};
