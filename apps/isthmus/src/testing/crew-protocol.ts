/** What a spec and its crews (bots in a process of their own, on another machine) say to each other. */
export type ToCrew =
  | {
      readonly do: 'join';
      readonly name: string;
      readonly gatewayUrl: string;
      readonly alias: string;
      readonly pin: string;
      readonly persona: number;
    }
  | { readonly do: 'speak'; readonly name: string; readonly forMs: number }
  | { readonly do: 'leave'; readonly name: string }
  | { readonly do: 'report' }
  | { readonly do: 'fetch'; readonly url: string }
  | { readonly do: 'portal'; readonly url: string; readonly steps: readonly PortalStep[] };

/** Something that an administrator does, by the REST API. */
export type PortalStep =
  | { readonly do: 'sign-in'; readonly name: string; readonly password: string; readonly next: string }
  | { readonly do: 'ask'; readonly method: string; readonly path: string; readonly body?: unknown };

/** How the meeting was for one bot from a moment on. Times are ms since 1970: all machines of a spec have one clock. */
export interface Moment {
  readonly at: number;
  /** Names of those in the roster who are in reach. */
  readonly inReach: readonly string[];
  /** Names of those on the stage, the large one first. */
  readonly stage: readonly string[];
  /** The pictures that arrive are those of the stage. */
  readonly shown: boolean;
}

export interface BotReport {
  readonly name: string;
  /** All of the roster, in reach or not. */
  readonly roster: readonly string[];
  readonly floor: string | null;
  readonly conference: string;
  readonly moments: readonly Moment[];
  readonly missing: readonly string[];
  /** Reasons why it was put out, and how often it lost its site or its media. */
  readonly ended: readonly string[];
  readonly notices: readonly string[];
  /** The longest that nothing came from somebody of its own site who was on its stage all the while, ms. */
  readonly localGapMs: number;
}

export interface CrewReport {
  readonly bots: readonly BotReport[];
  /** The longest that this process itself stood still, ms: no gap can be told from that. */
  readonly stallMs: number;
}
