import { type LegId, type Stage } from '@isthmus/conference';
import { markOf, type Layer } from './mark.js';
import type { Measured } from './reception.js';

/** What a bot sees and hears right now, and how that compares with what it was told to see. */
export interface Seen extends Measured {
  /** Whose stream this is, as the node says. */
  readonly leg: LegId;
  /** The pictures themselves carry this leg's mark: true, false for another's, null for none (a browser's camera). */
  readonly confirmed: boolean | null;
}

export interface Sight {
  readonly main: Seen | null;
  /** In the order of the stage; whoever does not arrive is left out. */
  readonly thumbnails: readonly Seen[];
  /** Arrives although nobody on the stage: wasted. */
  readonly others: readonly Seen[];
}

export interface Heard {
  readonly leg: LegId;
  readonly packetsPerSecond: number;
  /** Whose recorded voice it is, null if it is none we know or nothing was opened. */
  readonly persona: number | null;
  /** First packet of the clip that was heard in this talk spurt: 0 when no syllable was lost. */
  readonly firstPart: number | null;
}

/** Below this a picture stands still. */
const ALIVE_FPS = 2;

export const sightOf = (stage: Stage, streams: readonly { readonly leg: LegId; readonly measured: Measured }[]): Sight => {
  const arriving = new Map(
    streams
      .filter(({ measured }) => measured.framesPerSecond >= ALIVE_FPS)
      .map(({ leg, measured }): [LegId, Seen] => [
        leg,
        { leg, ...measured, confirmed: measured.mark === null ? null : measured.mark === markOf(leg) },
      ]),
  );
  const onStage = new Set<LegId>([...(stage.main ? [stage.main] : []), ...stage.thumbnails]);
  return {
    main: (stage.main && arriving.get(stage.main)) ?? null,
    thumbnails: stage.thumbnails.flatMap((leg) => arriving.get(leg) ?? []),
    others: [...arriving.values()].filter(({ leg }) => !onStage.has(leg)),
  };
};

export interface Expectation {
  readonly nameOf: (leg: LegId) => string;
  /** Camera off: on the stage, but nothing to show. */
  readonly dark: (leg: LegId) => boolean;
  /** Whether streams of somebody who is not on the stage are wrong too: while a stage changes, they are not. */
  readonly othersAreWrong: boolean;
}

/** What is still wrong, as sentences; empty when the pictures are what the stage says. */
export const differences = (stage: Stage, sight: Sight, { nameOf, dark, othersAreWrong }: Expectation): string[] => {
  const wrong: string[] = [];
  const check = (leg: LegId, seen: Seen | undefined, layer: Layer): void => {
    const place = layer === 'large' ? 'large' : 'as a thumbnail';
    if (dark(leg)) return;
    if (!seen) wrong.push(`${nameOf(leg)} should be ${place}, but no moving picture arrives`);
    else if (seen.confirmed === false) wrong.push(`${nameOf(leg)} should be ${place}, but the pictures are somebody else's`);
    else if (seen.layer !== null && seen.layer !== layer) wrong.push(`${nameOf(leg)} should be ${place}, but arrives ${seen.layer}`);
  };
  if (stage.main) check(stage.main, sight.main ?? undefined, 'large');
  for (const leg of stage.thumbnails) {
    check(
      leg,
      sight.thumbnails.find((seen) => seen.leg === leg),
      'small',
    );
  }
  if (othersAreWrong) for (const { leg } of sight.others) wrong.push(`${nameOf(leg)} is not on the stage, but arrives`);
  return wrong;
};
