import type { Decider } from '@isthmus/kernel';
import type { ConferenceCommand, ConferenceSeen } from './commands.js';
import { decide } from './decide.js';
import type { ConferenceBody } from './facts.js';
import { evolve, initial, type Conference } from './state.js';
import { upcast } from './upcast.js';

/**
 * A room in use: who is there, who speaks, and what hosts have said. Facts of one conference, or of several that fold as
 * one (openings.ts), go into one timeline.
 */
export const conference: Decider<Conference, ConferenceCommand, ConferenceBody, ConferenceSeen> = { initial, decide, evolve, read: upcast };
