import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Defect, Fault, Refusal, type SiteId } from '@isthmus/kernel';
import { legIdOf, type LegId, type PersonId, type Role } from '@isthmus/conference';
import type { Bus } from '@isthmus/ports';
import { TOPICS, type Act, type BrainAnswer, type BrainCommand } from '@isthmus/protocol';
import { brainAnswer, checked } from './shapes.js';

/** Nobody answers for that long: it is asked again, and another brain may have taken over by then (ADR 0059). */
const TRY_FOR_MS = 1_000;
const ANSWER_WITHIN_MS = 6_000;

/** Whoever was removed is not there to be removed again, nor is a meeting that was ended there to be ended. */
const DONE_ALREADY: ReadonlySet<string> = new Set(['conference.unknown-leg', 'conference.ended']);
/** Nobody began with it in time. */
const UNANSWERED: ReadonlySet<string> = new Set(['bus.no-answer', 'bus.overloaded']);
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
    for (let leftMs = ANSWER_WITHIN_MS; ; leftMs -= TRY_FOR_MS) {
      const askedAtMs = performance.now();
      try {
        const { value } = await this.bus.request(question, Math.min(leftMs, TRY_FOR_MS));
        return checked(brainAnswer, value, 'answer of the brain');
      } catch (error) {
        if (error instanceof Refusal && leftMs < ANSWER_WITHIN_MS && done.has(String((error as Refusal).code))) return { type: 'Done' };
        const unanswered = error instanceof Fault && UNANSWERED.has((error as Fault).code);
        if (!unanswered || leftMs <= TRY_FOR_MS) throw error;
        // Whoever has too much to do is not asked at once for what it has just refused.
        await sleep(Math.max(0, askedAtMs + TRY_FOR_MS - performance.now()));
      }
    }
  }
}
