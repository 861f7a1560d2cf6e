import { Controller, Inject } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { Fault, Refusal } from '@isthmus/kernel';
import type { Estate } from '@isthmus/estate';
import { brainCommand, mediaEvent, nodeLoss, nodeReport, TOPICS, type BrainAnswer } from '@isthmus/protocol';
import { inStep } from '@isthmus/service-kit';
import type { z } from 'zod';
import type { Brain } from './brain.js';
import { ELSEWHERE } from './holding.js';
import { Incumbent } from './incumbent.js';

/** Where the bus meets the brain: checks what arrives, calls, hands back the answer. */
@Controller()
export class BrainEdge {
  constructor(@Inject(Incumbent) private readonly incumbent: Incumbent) {}

  private get brain(): Brain {
    return this.incumbent.brain;
  }

  @MessagePattern(TOPICS.commands)
  async command(@Payload() value: unknown): Promise<BrainAnswer | undefined> {
    const command = checked(brainCommand, value, 'command');
    try {
      return await inStep('brain.decide', { 'isthmus.command': command.type }, () => this.brain.handle(command));
    } catch (error) {
      // Whoever decides there has heard it, too, and answers.
      if (error instanceof Fault && (error as Fault).code === ELSEWHERE) return undefined;
      throw error;
    }
  }

  @EventPattern(TOPICS.mediaEvents)
  async mediaEvent(@Payload() value: unknown): Promise<void> {
    await this.brain.heard(checked(mediaEvent, value, 'media event'));
  }

  @EventPattern(TOPICS.nodes)
  nodeReport(@Payload() value: unknown): void {
    this.brain.nodeReported(checked(nodeReport, value, 'node report'));
  }

  @EventPattern(TOPICS.nodeLosses)
  nodeLoss(@Payload() value: unknown): void {
    this.brain.nodeEnded(checked(nodeLoss, value, 'node loss').node);
  }

  @MessagePattern(TOPICS.estateRequests)
  estate(@Payload() _value: unknown): Estate {
    return this.brain.estate;
  }
}

const checked = <T>(schema: z.ZodType<T>, value: unknown, what: string): T => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || what}: ${message}`).join('; ');
  throw new Refusal('bus.malformed', `This is no ${what}: ${faults}`);
};
