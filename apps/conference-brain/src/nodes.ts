import { nodeWordOf, type Estate } from '@isthmus/estate';
import type { ConferenceId, LegId } from '@isthmus/conference';
import type { SiteId } from '@isthmus/kernel';
import type { NodeId, NodeLoad } from '@isthmus/placement';
import type { NodeReport } from '@isthmus/protocol';

/** A node that has not reported for this long gets nobody new. */
const SILENT_AFTER_MS = 3_000;
/** And after this long those who are on it are moved. Reports come every second. */
const LOST_AFTER_MS = 4_000;
/** So long after the first has reported, others may report for the first time: a brain that begins anew hears one after the other. */
const SETTLED_AFTER_MS = 1_500;
/** How often {@link Nodes.look} is to be called. */
export const LOOK_EVERY_MS = 500;

interface Known {
  readonly report: NodeReport;
  heardAtMs: number;
  /** It has ended or fallen silent; what was on it is elsewhere, or waits for it. */
  lost: boolean;
}

/** What this site's media nodes last said of themselves, and which of them are lost. */
export class Nodes {
  private readonly known = new Map<NodeId, Known>();
  private lookedAtMs: number | undefined;
  private firstAtMs: number | undefined;
  private settled = false;
  private words: Pick<Estate, 'nodes'> = {};

  /** @param monotonicMs asks a clock that never steps back. */
  constructor(private readonly monotonicMs: () => number) {}

  /** An administrator wants some emptied, gone, or back. True if that is news. */
  told({ nodes }: Pick<Estate, 'nodes'>): boolean {
    const isNews = JSON.stringify(nodes ?? {}) !== JSON.stringify(this.words.nodes ?? {});
    this.words = nodes === undefined ? {} : { nodes };
    return isNews;
  }

  /** Takes a report; true if the node is new here, came back, is to be emptied, or is reached elsewhere. */
  heard(report: NodeReport): boolean {
    if (this.isRemoved(report.node)) return false;
    const before = this.known.get(report.node);
    this.firstAtMs ??= this.monotonicMs();
    this.known.set(report.node, { report, heardAtMs: this.monotonicMs(), lost: false });
    if (before === undefined || before.lost || this.isSilent(before)) return true;
    return before.report.linkUrl !== report.linkUrl || before.report.draining !== report.draining;
  }

  /** What they said they have of a room, and of which tenure. */
  holding(room: ConferenceId): readonly { readonly node: NodeId; readonly legs: readonly LegId[]; readonly epoch: number | undefined }[] {
    return [...this.known].flatMap(([node, { lost, report }]) => {
      const held = report.holds?.find(({ conference }) => conference === room);
      return lost || this.isRemoved(node) || held === undefined ? [] : [{ node, legs: held.legs, epoch: held.epoch }];
    });
  }

  /** Somebody who would know says that the node has ended. True if that is news. */
  ended(node: NodeId): boolean {
    const known = this.known.get(node);
    if (known === undefined || known.lost) return false;
    known.lost = true;
    return true;
  }

  /** Whether a node that has people from before this brain began may not have said so yet. */
  get settling(): boolean {
    return this.firstAtMs === undefined || this.monotonicMs() - this.firstAtMs < SETTLED_AFTER_MS;
  }

  /** Finds those that have been silent for too long. While we slept ourselves, nobody's silence counts. True once: they have settled now. */
  look(): boolean {
    const now = this.monotonicMs();
    const asleepMs = now - (this.lookedAtMs ?? now) - LOOK_EVERY_MS;
    this.lookedAtMs = now;
    for (const known of this.known.values()) {
      if (asleepMs > LOOK_EVERY_MS) known.heardAtMs = Math.min(now, known.heardAtMs + asleepMs);
      if (now - known.heardAtMs > LOST_AFTER_MS) known.lost = true;
    }
    const isNews = !this.settled && !this.settling;
    this.settled ||= isNews;
    return isNews;
  }

  /** Whether those who are on it belong elsewhere: it is lost, or is to be emptied. */
  isLeaving(node: NodeId): boolean {
    const known = this.known.get(node);
    return known === undefined || known.lost || this.isDraining(known);
  }

  /** Those of them that are there; all if none is. */
  there(nodes: readonly NodeId[]): readonly NodeId[] {
    const there = nodes.filter((node) => !this.isLost(node));
    return there.length > 0 ? there : nodes;
  }

  isLost(node: NodeId): boolean {
    return this.isRemoved(node) || (this.known.get(node)?.lost ?? true);
  }

  /** Loads for placing; `placed` counts the legs that we have given each node, which its report may not show yet. */
  loads(placed: ReadonlyMap<NodeId, number>): readonly NodeLoad[] {
    return [...this.known.values()].map((known) => ({
      node: known.report.node,
      capacity: known.report.capacity,
      legs: Math.max(known.report.legs, placed.get(known.report.node) ?? 0),
      draining: this.isDraining(known) || known.lost || this.isSilent(known),
    }));
  }

  /**
   * Whether media packets come here from another site: one of our nodes gets them, or none can tell. If but one pair of nodes
   * has lost its way, that is a matter of those two, and no reason to take the whole site off every stage.
   */
  hearsMedia(site: SiteId): boolean {
    const said = [...this.known.values()].flatMap(({ report, lost }) => (lost ? [] : (report.hears ?? [])));
    const ofSite = said.filter((each) => each.site === site);
    return ofSite.length === 0 || ofSite.some(({ media }) => media);
  }

  clientUrl(node: NodeId): string | undefined {
    return this.known.get(node)?.report.clientUrl;
  }

  /** Media links by node. */
  linkUrls(): ReadonlyMap<NodeId, string> {
    return new Map([...this.known].map(([node, { report }]) => [node, report.linkUrl]));
  }

  /** Any node that could take a call. */
  get ready(): boolean {
    return [...this.known.values()].some((known) => !this.isDraining(known) && !known.lost && !this.isSilent(known));
  }

  /** By its own word, because it is told to stop, or by an administrator's. */
  private isDraining({ report }: Known): boolean {
    return report.draining || nodeWordOf(this.words, report.node) !== undefined;
  }

  /** By an administrator: nothing that is heard under its name counts. */
  isRemoved(node: NodeId): boolean {
    return nodeWordOf(this.words, node)?.state === 'removed';
  }

  private isSilent({ heardAtMs }: Known): boolean {
    return this.monotonicMs() - heardAtMs > SILENT_AFTER_MS;
  }
}
