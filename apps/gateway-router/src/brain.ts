import { Defect, Refusal } from '@isthmus/kernel';
import type { LegId, PersonId, Role } from '@isthmus/conference';
import type { Bus } from '@isthmus/ports';
import { TOPICS, type Act, type BrainAnswer, type BrainCommand } from '@isthmus/protocol';
import { brainAnswer, checked } from './shapes.js';

const ANSWER_WITHIN_MS = 5_000;

/** What a Join is answered with: a seat, or a place at the door. */
export type Entered = Extract<BrainAnswer, { type: 'Joined' | 'Waiting' }>;

/** The conference-brain of this site, as the gateway-router asks it. Refusals and faults arrive as they were thrown there. */
export class Brain {
  constructor(private readonly bus: Bus) {}

  async join(command: Omit<Extract<BrainCommand, { type: 'Join' }>, 'type'>): Promise<Entered> {
    const answer = await this.ask({ type: 'Join', ...command });
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
    await this.ask({ type: 'Act', room, leg, act });
  }

  async leave(room: string, leg: LegId): Promise<void> {
    await this.ask({ type: 'Leave', room, leg });
  }

  private async ask(command: BrainCommand): Promise<BrainAnswer> {
    const { value } = await this.bus.request({ topic: TOPICS.commands, key: command.room, value: command }, ANSWER_WITHIN_MS);
    return checked(brainAnswer, value, 'answer of the brain');
  }
}
