import type { NodeReport, SiteReport, TelemetryBatch } from '@isthmus/protocol';
import { Odometer } from './odometer.js';

/** A node that has not reported for so long is not passed on as if it had. ms. */
const NODE_STALE_MS = 3_000;
/** Kinds of facts that are told apart; there are a few dozen. */
const FACT_TYPES_MAX = 64;

/** Where a site's telemetry lays down what it hears on the bus: the last word of everyone, and counts of facts. */
export class SiteDesk {
  report: SiteReport | undefined;
  readonly odometer = new Odometer();
  /** Since this process began, by type. */
  readonly factsTotal = new Map<string, number>();
  private readonly nodes = new Map<string, { readonly report: NodeReport; readonly heardAt: number }>();
  private factsSince = new Map<string, number>();

  heardSite(report: SiteReport): void {
    this.report = report;
  }

  heardNode(report: NodeReport, monotonic: number): void {
    this.nodes.set(report.node, { report, heardAt: monotonic });
    for (const { conference, toNode, toSite, sent } of report.pipes) {
      if (toSite !== report.site) this.odometer.note(`${report.node}>${toNode}:${conference}`, toSite, sent);
    }
    this.odometer.forgetExcept(
      report.node,
      new Set(report.pipes.map(({ conference, toNode }) => `${report.node}>${toNode}:${conference}`)),
    );
  }

  heardFact(type: string): void {
    for (const counts of [this.factsTotal, this.factsSince]) {
      const name = counts.has(type) || counts.size < FACT_TYPES_MAX ? type : 'other';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }

  nodesHeard(monotonic: number): readonly NodeReport[] {
    for (const [node, { heardAt }] of this.nodes) if (monotonic - heardAt >= NODE_STALE_MS) this.nodes.delete(node);
    return [...this.nodes.values()].map(({ report }) => report);
  }

  /** What there is to tell management now. What nodes can decode is of no interest there, and most of a report's size. */
  batch(head: Pick<TelemetryBatch, 'site' | 'run' | 'number' | 'sentAt' | 'dropped'>, monotonic: number): TelemetryBatch {
    const facts = Object.fromEntries(this.factsSince);
    this.factsSince = new Map();
    const nodes = this.nodesHeard(monotonic).map((report) => ({ ...report, rtpCapabilities: {}, holds: [] }));
    return { ...head, ...(this.report ? { report: this.report } : {}), nodes, facts };
  }
}
