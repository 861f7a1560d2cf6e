import { Controller, Inject } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { z } from 'zod';
import type { Clock } from '@isthmus/ports';
import { nodeWords, supervision, telemetryBatch, TOPICS, type Status } from '@isthmus/protocol';
import { logOf } from '@isthmus/service-kit';
import { Picture } from './picture.js';

export const CLOCK = 'isthmus:clock';

/** Names, what was said of media nodes, and the revision are all that telemetry takes of the estate. */
export const knownEstate = z.object({
  revision: z.int().min(0),
  rooms: z.record(z.string(), z.object({ name: z.string() })),
  sites: z.record(z.string(), z.object({ name: z.string() })),
  nodes: nodeWords.exactOptional(),
});

/** What telemetry on the management node hears, and answers, on its bus. */
@Controller()
export class ManagementEdge {
  constructor(
    private readonly picture: Picture,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @EventPattern(TOPICS.batches)
  batch(@Payload() value: unknown): void {
    const parsed = telemetryBatch.safeParse(value);
    if (parsed.success) this.picture.take(parsed.data, momentOf(this.clock));
    else logOf('telemetry').warn({ issues: parsed.error.issues.slice(0, 3) }, 'a report does not fit; it is left out');
  }

  @EventPattern(TOPICS.estate)
  estate(@Payload() value: unknown): void {
    const parsed = knownEstate.safeParse(value);
    if (parsed.success) this.picture.know(parsed.data);
    else logOf('telemetry').warn({ issues: parsed.error.issues.slice(0, 3) }, 'the estate that was told is none');
  }

  @EventPattern(TOPICS.supervision)
  supervised(@Payload() value: unknown): void {
    const parsed = supervision.safeParse(value);
    if (parsed.success) this.picture.supervised(parsed.data);
    else logOf('telemetry').warn({ issues: parsed.error.issues.slice(0, 3) }, 'what a supervisor said does not fit; it is left out');
  }

  @MessagePattern(TOPICS.statusRequests)
  status(): Status {
    return this.picture.status(momentOf(this.clock));
  }
}

export const momentOf = (clock: Clock) => ({ now: Math.trunc(clock.now()), monotonic: clock.monotonic() });
