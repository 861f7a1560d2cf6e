/** Reach changes at these paces (merge rule 7). ms */
const DOWN_AFTER_MS = 1_500;
const UP_AFTER_MS = 1_000;
const UP_AFTER_LONGEST_MS = 30_000;
const QUIET_MS = 60_000;

/**
 * One link as reach may take it: what is heard, damped, so that a link that flaps does not throw people on and off every
 * stage. Facts are not damped; they flow whenever they can. Times are ms on one clock that never steps back.
 */
export interface Damping {
  readonly up: boolean;
  /** Since when it has been otherwise than `up` says: silent while up, heard while down. */
  readonly otherwiseSince: number | undefined;
  /** How long it has to be heard before it is up. */
  readonly upAfterMs: number;
  /** When it last went down, or was about to come up and did not. */
  readonly flappedAt: number | undefined;
  /** When to look again, if nothing else happens before. */
  readonly lookAt: number | undefined;
}

/** A link of which nothing is known yet. The first time it is heard it is up at once: it has not flapped. */
export const NEVER_HEARD: Damping = { up: false, otherwiseSince: undefined, upAfterMs: 0, flappedAt: undefined, lookAt: undefined };

/**
 * @param heard whether both directions work at this moment
 * @param heardAt when the last sign of life came, if that is known: silence counts from there
 */
export const damped = (before: Damping, heard: boolean, now: number, heardAt: number = now): Damping =>
  before.up ? whileUp(before, heard, now, heardAt) : whileDown(before, heard, now);

const whileUp = (before: Damping, heard: boolean, now: number, heardAt: number): Damping => {
  if (heard) return before.otherwiseSince === undefined ? before : { ...before, otherwiseSince: undefined, lookAt: undefined };
  const silentSince = Math.min(before.otherwiseSince ?? now, heardAt);
  const downAt = silentSince + DOWN_AFTER_MS;
  if (now < downAt) return { ...before, otherwiseSince: silentSince, lookAt: downAt };
  return { up: false, otherwiseSince: undefined, lookAt: undefined, ...flapped(before, now) };
};

const whileDown = (before: Damping, heard: boolean, now: number): Damping => {
  if (!heard) {
    if (before.otherwiseSince === undefined) return before;
    return { up: false, otherwiseSince: undefined, lookAt: undefined, ...flapped(before, now) };
  }
  const otherwiseSince = before.otherwiseSince ?? now;
  const upAt = otherwiseSince + before.upAfterMs;
  if (now < upAt) return { ...before, otherwiseSince, lookAt: upAt };
  return { ...before, up: true, otherwiseSince: undefined, lookAt: undefined };
};

/** The next time it comes back it is watched for longer, unless all was quiet for long. */
const flapped = ({ upAfterMs, flappedAt }: Damping, now: number): Pick<Damping, 'upAfterMs' | 'flappedAt'> => {
  const quiet = flappedAt === undefined || now - flappedAt >= QUIET_MS + upAfterMs;
  return { upAfterMs: quiet ? UP_AFTER_MS : Math.min(Math.max(UP_AFTER_MS, 2 * upAfterMs), UP_AFTER_LONGEST_MS), flappedAt: now };
};
