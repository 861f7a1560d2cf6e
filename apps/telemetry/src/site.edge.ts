import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { z } from 'zod';
import { nodeReport, siteReport, TOPICS } from '@isthmus/protocol';
import { logOf } from '@isthmus/service-kit';
import { SiteDesk } from './site-desk.js';

const fact = z.object({ type: z.string().min(1).max(64) });

/** What a site's telemetry hears on its bus. */
@Controller()
export class SiteEdge {
  constructor(private readonly desk: SiteDesk) {}

  @EventPattern(TOPICS.nodes)
  node(@Payload() value: unknown): void {
    const parsed = nodeReport.safeParse(value);
    if (parsed.success) this.desk.heardNode(parsed.data, performance.now());
    else odd(TOPICS.nodes, parsed.error);
  }

  @EventPattern(TOPICS.sites)
  site(@Payload() value: unknown): void {
    const parsed = siteReport.safeParse(value);
    if (parsed.success) this.desk.heardSite(parsed.data);
    else odd(TOPICS.sites, parsed.error);
  }

  @EventPattern(TOPICS.facts)
  fact(@Payload() value: unknown): void {
    const parsed = fact.safeParse(value);
    if (parsed.success) this.desk.heardFact(parsed.data.type);
    else odd(TOPICS.facts, parsed.error);
  }
}

const odd = (topic: string, error: z.ZodError): void =>
  logOf('telemetry').warn({ topic, issues: error.issues.slice(0, 3) }, 'a message does not fit; it is left out');
