import { emptyEstate, isAsNew, nodeWordOf, type Estate } from '@isthmus/estate';
import type { SiteId } from '@isthmus/kernel';
import type { Bus, Clock } from '@isthmus/ports';
import { TOPICS, type NodeReport, type Opaque } from '@isthmus/protocol';
import { checked, estate as estateShape } from './shapes.js';

/** A node that said nothing for so long is not there. */
const NODE_SILENT_MS = 5_000;
const ANSWER_WITHIN_MS = 500;
const ASK_AGAIN_MS = 100;
const NODES_MAX = 256;

/**
 * What this service knows of its site: the estate (rooms, PIN hashes, names of sites) and what its media nodes can do. Both
 * are told on the bus; the estate is also asked for at the start, until somebody answers.
 */
export class SiteCopy {
  private current: Estate | undefined;
  private readonly nodes = new Map<string, { readonly report: NodeReport; readonly heardAt: number }>();
  private readonly awaited = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    readonly site: SiteId,
    private readonly bus: Bus,
    private readonly clock: Clock,
  ) {}

  get estate(): Estate {
    return this.current ?? emptyEstate;
  }

  /** Whether the estate has been learned; before that, no alias can be judged. */
  get known(): boolean {
    return this.current !== undefined;
  }

  /** Asks for the estate until it is there. Returns at once. */
  start(): void {
    void this.askEstate();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /** Keeps the newer one: two tellers may be out of step. */
  estateTold(value: unknown): void {
    const told = checked(estateShape, value, 'estate');
    if (this.current === undefined || isAsNew(told, this.current)) this.current = told;
  }

  nodeReported(report: NodeReport): void {
    if (report.site !== this.site || Object.keys(report.rtpCapabilities).length === 0) return;
    if (!this.nodes.has(report.node) && this.nodes.size >= NODES_MAX) return;
    this.nodes.set(report.node, { report, heardAt: this.clock.monotonic() });
    for (const resolve of this.awaited) resolve();
    this.awaited.clear();
  }

  /** What a client may prepare its device with: all nodes of a site are alike. Undefined when no node has reported lately. */
  rtpCapabilities(): Opaque | undefined {
    return this.reports().at(-1)?.rtpCapabilities;
  }

  /** Where somebody who joins now will most likely be seated; the brain decides when they do. */
  mediaUrl(): string | undefined {
    const leaves = ({ node, draining }: NodeReport) => draining || nodeWordOf(this.estate, node) !== undefined;
    const free = this.reports().filter((report) => !leaves(report) && report.legs < report.capacity);
    return free.sort((a, b) => a.legs / a.capacity - b.legs / b.capacity)[0]?.clientUrl;
  }

  /** The same, waiting for a node to report, at most so long. */
  async rtpCapabilitiesWithin(waitMs: number): Promise<Opaque | undefined> {
    const known = this.rtpCapabilities();
    if (known) return known;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.awaited.delete(done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      timer.unref();
      this.awaited.add(done);
    });
    return this.rtpCapabilities();
  }

  private reports(): NodeReport[] {
    for (const [node, { heardAt }] of this.nodes) if (this.clock.monotonic() - heardAt > NODE_SILENT_MS) this.nodes.delete(node);
    const isRemoved = ({ node }: NodeReport) => nodeWordOf(this.estate, node)?.state === 'removed';
    return [...this.nodes.values()].flatMap(({ report }) => (isRemoved(report) ? [] : [report]));
  }

  private async askEstate(): Promise<void> {
    try {
      const { value } = await this.bus.request({ topic: TOPICS.estateRequests, key: 'estate', value: {} }, ANSWER_WITHIN_MS);
      this.estateTold(value);
    } catch {
      // Nobody there yet: services of a site start in any order. Ready says so meanwhile.
    }
    if (this.current !== undefined || this.closed) return;
    this.timer = setTimeout(() => void this.askEstate(), ASK_AGAIN_MS);
  }
}
