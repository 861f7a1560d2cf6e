import { stageOf, type LegId, type Stage } from '@isthmus/conference';
import type { Bot } from './bot.js';
import type { Script } from './script.js';
import { whoIs } from './script.js';

/** What a speech script means for everybody's screen, and how far what bots saw is from it. */

/** Participants in order of joining; whoever has not spoken comes after those who have. */
export interface Participant {
  readonly name: string;
  readonly leg: LegId;
}

/** Whoever spoke, most recent first, after each turn of the script. The floor changes hands only when somebody else speaks. */
export const floorsOf = (
  script: Script,
  present: readonly Participant[],
  before: readonly LegId[] = present.map(({ leg }) => leg),
): LegId[][] => {
  const floors: LegId[][] = [];
  let byRecency = [...before];
  for (const { who } of script.turns) {
    const { leg } = whoIs(present, who);
    if (byRecency[0] === leg && floors.length > 0) continue;
    byRecency = [leg, ...byRecency.filter((other) => other !== leg)];
    floors.push(byRecency);
  }
  return floors;
};

/** The sequence of stages that `viewer` should see, without repetitions (S16 to S19). */
export const stagesOf = (viewer: LegId, floors: readonly (readonly LegId[])[]): Stage[] =>
  floors.map((byRecency) => stageOf(viewer, byRecency)).filter((stage, i, all) => i === 0 || !same(stage, all[i - 1]!));

const same = (a: Stage, b: Stage): boolean => a.main === b.main && a.thumbnails.join() === b.thumbnails.join();

const said = ({ main, thumbnails }: Stage, nameOf: (leg: LegId) => string): string =>
  `${main ? nameOf(main) : 'nobody'} large${thumbnails.length > 0 ? `, ${thumbnails.map(nameOf).join(', ')} small` : ''}`;

/** What of a bot the sequence is read from. */
export type Watcher = Pick<Bot, 'name' | 'stages' | 'nameOf'>;

/**
 * Sentences about what `bot` should have been shown since it had `since` records, and was not; empty when the sequence is
 * right. Stages before the first expected one do not count: the meeting may still have been settling.
 */
export const missingStages = (bot: Watcher, expected: readonly Stage[], since = 0): string[] => {
  const nameOf = (leg: LegId) => bot.nameOf(leg);
  // The stage that stands already counts: whoever takes the floor may see nothing new by it.
  const records = bot.stages.slice(Math.max(0, since - 1));
  const first = records.findIndex((record) => expected[0] && same(record, expected[0]));
  if (expected.length === 0) return [];
  if (first < 0) return [`${bot.name} was never told to show ${said(expected[0]!, nameOf)}`];
  const told = records.slice(first);
  for (const [i, stage] of expected.entries()) {
    const record = told[i];
    if (!record) return [`${bot.name} was not told (yet) to show ${said(stage, nameOf)}`];
    if (!same(record, stage)) return [`${bot.name} should show ${said(stage, nameOf)}, but was told to show ${said(record, nameOf)}`];
    if (record.shownAt === null) return [`${bot.name} was told to show ${said(stage, nameOf)}, but those pictures did not arrive`];
  }
  return told.length > expected.length
    ? [`${bot.name} was told to show ${said(told[expected.length]!, nameOf)} after the script had ended`]
    : [];
};

/** What every bot's screen lacks right now. */
export const missingNow = (bots: readonly Bot[]): string[] => bots.flatMap((bot) => bot.missing());

/** Bots that agree on who is here, and on all of `bots`. */
export const missingFromRosters = (bots: readonly Bot[], others: readonly LegId[] = []): string[] => {
  const everybody = [...bots.map(({ leg, name }) => ({ leg, name })), ...others.map((leg) => ({ leg, name: leg }))];
  return bots.flatMap((bot) => {
    const listed = new Set(bot.view.roster.filter(({ inReach }) => inReach).map(({ leg }) => leg));
    return everybody.filter(({ leg }) => !listed.has(leg)).map(({ name }) => `${bot.name} does not know that ${name} is here`);
  });
};
