import { randomBytes, randomInt } from 'node:crypto';
import { Defect, Fault, Refusal, type SiteId } from '@isthmus/kernel';
import { legIdOf, type LegId, type PersonId, type Role } from '@isthmus/conference';
import type { Bus } from '@isthmus/ports';
import { TOPICS, type Act, type BrainAnswer, type BrainCommand } from '@isthmus/protocol';
import { brainAnswer, checked } from './shapes.js';

/** Nobody answers for that long: it is asked again, and another brain may have taken over by then (ADR 0059). */
const TRY_FOR_MS = 3_000;
const ANSWER_WITHIN_MS = 6_000;
/** Whoever has too much to do is asked again after about so long, not by all at once, and not when it could only be late. */
const PAUSE_MS = { least: 500, most: 1_500 };
const WORTH_ASKING_MS = 500;

/** Whoever was removed is not there to be removed again, nor is a meeting that was ended there to be ended. */
const DONE_ALREADY: ReadonlySet<string> = new Set(['conference.unknown-leg', 'conference.ended']);
/** Nobody began with it in time, and whoever would have has said so. */
const OVERLOADED = 'bus.overloaded';
const NOTHING: ReadonlySet<string> = new Set();

/** What a Join is answered with: a seat, or a place at the door. */
export type Entered = Extract<BrainAnswer, { type: 'Joined' | 'Waiting' }>;

/** The conference-brain of this site, as the gateway-router asks it. Refusals and faults arrive as they were thrown there. */
export class Brain {
  constructor(
    private readonly site: SiteId,
    private readonly bus: Bus,
  ) {}

  /** As whom somebody comes in. */
  newLeg(): LegId {
    return legIdOf(this.site, randomBytes(6).toString('hex'));
  }

  /** However often it is asked, they come in once: as this leg. A Fault says that they may have come in, or may yet. */
  async join(command: Omit<Extract<BrainCommand, { type: 'Join' }>, 'type'>): Promise<Entered> {
    const answer = await this.ask({ type: 'Join', leg: this.newLeg(), ...command });
    if (answer.type === 'Joined' || answer.type === 'Waiting') return answer;
    throw new Defect('brain.answer', `The brain answered a Join with ${answer.type}.`);
  }

  /** Whom a resume word lets in again; undefined if nobody. */
  async recall(room: string, person: PersonId, resume: string): Promise<{ readonly role: Role; readonly connect: number } | undefined> {
    try {
      const answer = await this.ask({ type: 'Recall', room, person, resume });
      return answer.type === 'Recalled' ? answer : undefined;
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  }

  /** Says to a brain that was started anew that this leg is still here. */
  async confirm(room: string, leg: LegId): Promise<void> {
    await this.ask({ type: 'Confirm', room, leg });
  }

  async act(room: string, leg: LegId, act: Act): Promise<void> {
    await this.ask({ type: 'Act', room, leg, act }, DONE_ALREADY);
  }

  async leave(room: string, leg: LegId): Promise<void> {
    await this.ask({ type: 'Leave', room, leg });
  }

  /** @param done refusals that, of a command asked again, say that it was carried out the first time */
  private async ask(command: BrainCommand, done: ReadonlySet<string> = NOTHING): Promise<BrainAnswer> {
    const question = { topic: TOPICS.commands, key: command.room, value: command };
    const deadlineMs = performance.now() + ANSWER_WITHIN_MS;
    for (let asked = 0; ; asked += 1) {
      const leftMs = Math.round(deadlineMs - performance.now());
      try {
        const { value } = await this.bus.request(question, Math.min(leftMs, TRY_FOR_MS));
        return checked(brainAnswer, value, 'answer of the brain');
      } catch (error) {
        if (error instanceof Refusal && asked > 0 && done.has(String((error as Refusal).code))) return { type: 'Done' };
        const code = error instanceof Fault ? (error as Fault).code : undefined;
        if (code !== OVERLOADED && code !== 'bus.no-answer') throw error;
        const pauseMs = code === OVERLOADED ? randomInt(PAUSE_MS.least, PAUSE_MS.most) : 0;
        if (deadlineMs - performance.now() - pauseMs < WORTH_ASKING_MS) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }
}
