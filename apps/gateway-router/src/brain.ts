import { Defect } from '@isthmus/kernel';
import type { LegId } from '@isthmus/conference';
import type { Bus } from '@isthmus/ports';
import { TOPICS, type Act, type BrainAnswer, type BrainCommand } from '@isthmus/protocol';
import { brainAnswer, checked } from './shapes.js';

const ANSWER_WITHIN_MS = 5_000;

/** The conference-brain of this site, as the gateway-router asks it. Refusals and faults arrive as they were thrown there. */
export class Brain {
  constructor(private readonly bus: Bus) {}

  async join(command: Omit<Extract<BrainCommand, { type: 'Join' }>, 'type'>): Promise<Exclude<BrainAnswer, { type: 'Done' }>> {
    const answer = await this.ask({ type: 'Join', ...command });
    if (answer.type === 'Done') throw new Defect('brain.answer', 'The brain answered a Join with Done.');
    return answer;
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
