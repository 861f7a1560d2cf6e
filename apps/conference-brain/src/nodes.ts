import type { NodeId, NodeLoad } from '@isthmus/placement';
import type { NodeReport } from '@isthmus/protocol';

/** A node that has not reported for this long gets nobody new. */
const SILENT_AFTER_MS = 3_000;

/** What this site's media nodes last said of themselves. */
export class Nodes {
  private readonly reports = new Map<NodeId, { readonly report: NodeReport; readonly heardAtMs: number }>();

  /** @param monotonicMs asks a clock that never steps back. */
  constructor(private readonly monotonicMs: () => number) {}

  /** Takes a report; true if the node is new here, or came back after a silence. */
  heard(report: NodeReport): boolean {
    const before = this.reports.get(report.node);
    this.reports.set(report.node, { report, heardAtMs: this.monotonicMs() });
    return before === undefined || this.isSilent(before.heardAtMs) || before.report.linkUrl !== report.linkUrl;
  }

  /** Loads for placing; `placed` counts the legs that we have given each node, which its report may not show yet. */
  loads(placed: ReadonlyMap<NodeId, number>): readonly NodeLoad[] {
    return [...this.reports.values()].map(({ report, heardAtMs }) => ({
      node: report.node,
      capacity: report.capacity,
      legs: Math.max(report.legs, placed.get(report.node) ?? 0),
      draining: report.draining || this.isSilent(heardAtMs),
    }));
  }

  clientUrl(node: NodeId): string | undefined {
    return this.reports.get(node)?.report.clientUrl;
  }

  /** Media links by node. */
  linkUrls(): ReadonlyMap<NodeId, string> {
    return new Map([...this.reports].map(([node, { report }]) => [node, report.linkUrl]));
  }

  /** Any node that could take a call. */
  get ready(): boolean {
    return [...this.reports.values()].some(({ report, heardAtMs }) => !report.draining && !this.isSilent(heardAtMs));
  }

  private isSilent(heardAtMs: number): boolean {
    return this.monotonicMs() - heardAtMs > SILENT_AFTER_MS;
  }
}
