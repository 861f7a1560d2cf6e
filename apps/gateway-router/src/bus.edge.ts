import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { nodeReport, TOPICS } from '@isthmus/protocol';
import { Farewell } from './farewell.js';
import { Seats } from './seats.js';
import { checked, viewPublished } from './shapes.js';
import { SiteCopy } from './site-copy.js';

/** What the other services of the site tell everyone who serves clients. */
@Controller()
export class BusEdge {
  constructor(
    @Inject(Seats) private readonly seats: Seats,
    @Inject(SiteCopy) private readonly copy: SiteCopy,
    @Inject(Farewell) private readonly farewell: Farewell,
  ) {}

  @EventPattern(TOPICS.views)
  view(@Payload() value: unknown): void {
    this.seats.heard(checked(viewPublished, value, 'view'));
  }

  @EventPattern(TOPICS.estate)
  estate(@Payload() value: unknown): void {
    this.copy.estateTold(value);
    this.farewell.look();
  }

  @EventPattern(TOPICS.nodes)
  node(@Payload() value: unknown): void {
    this.copy.nodeReported(checked(nodeReport, value, 'node report'));
  }
}
