import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { nodeReport, siteReport, TOPICS } from '@isthmus/protocol';
import { Farewell } from './farewell.js';
import { Seats } from './seats.js';
import { checked, viewPublished } from './shapes.js';
import { SiteCopy } from './site-copy.js';
import { Ways } from './ways.js';

/** What the other services of the site tell everyone who serves clients. */
@Controller()
export class BusEdge {
  constructor(
    @Inject(Seats) private readonly seats: Seats,
    @Inject(SiteCopy) private readonly copy: SiteCopy,
    @Inject(Farewell) private readonly farewell: Farewell,
    @Inject(Ways) private readonly ways: Ways,
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

  @EventPattern(TOPICS.sites)
  site(@Payload() value: unknown): void {
    this.ways.heard(checked(siteReport, value, 'site report'));
  }
}
