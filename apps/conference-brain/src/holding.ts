import type { ConferenceId } from '@isthmus/conference';
import { epochOf, Fault, streamNameOf, writerIdOf, type Fact, type SiteId, type StreamName, type WriterId } from '@isthmus/kernel';
import type { EventStore, Sharing } from '@isthmus/ports';
import type { Chronicle } from './chronicle.js';

export interface HoldingParts {
  readonly site: SiteId;
  /** The tenure under which this brain was started. */
  readonly brain: number;
  readonly store: EventStore;
  readonly sharing: Sharing;
  readonly chronicle: (room: string) => Chronicle;
  /** Whether a room belongs to this brain, as things are. */
  readonly isMine: (room: string) => boolean;
  /** It decides for this room from now on, under this epoch. */
  readonly began: (room: string, epoch: number) => void;
  /** It does not any more. */
  readonly ended: (room: string) => void;
}

/**
 * The rooms that this brain decides, as the store says (ADR 0059). It takes a room by saying so there, after whoever said so
 * before; then it fences what they wrote, reads it to its end, and goes on under a later epoch than theirs.
 */
export class Holding {
  private readonly held = new Map<string, number>();
  private readonly taking = new Map<string, Promise<boolean>>();
  /** The latest epoch at which another brain has claimed a room, as far as we heard. */
  private readonly claimed = new Map<string, number>();
  private epoch: number;
  private notBefore = 0;
  private beginning: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(private readonly parts: HoldingParts) {
    this.epoch = parts.brain;
  }

  has(room: string): boolean {
    return this.held.has(room);
  }

  /**
   * Takes a room if it belongs to this brain and is not held yet. False: it is somebody else's.
   * @throws Fault while the store is away: then nobody takes over anything.
   */
  async take(room: string): Promise<boolean> {
    if (this.held.has(room)) return true;
    if (this.closed || !this.parts.isMine(room)) return false;
    const taking = this.taking.get(room) ?? this.takeOver(room).finally(() => this.taking.delete(room));
    this.taking.set(room, taking);
    return taking;
  }

  /** Another brain says that it decides for a room under this epoch. */
  claimedBy(room: string, epoch: number): void {
    this.claimed.set(room, Math.max(epoch, this.claimed.get(room) ?? 0));
    const ours = this.held.get(room);
    if (ours !== undefined && ours < epoch) this.lost(room);
  }

  /** Somebody else writes here by now. */
  lost(room: string): void {
    if (this.held.delete(room)) this.parts.ended(room);
  }

  /** Peers may know another story of the tenures before this one: what was held under them is taken anew, under a later one. */
  renew(notBefore: number): void {
    this.notBefore = Math.max(this.notBefore, notBefore);
    for (const [room, epoch] of [...this.held]) if (epoch < this.notBefore) this.lost(room);
  }

  close(): void {
    this.closed = true;
    for (const room of [...this.held.keys()]) this.lost(room);
  }

  private async takeOver(room: string): Promise<boolean> {
    const { site, sharing, began } = this.parts;
    let writer: WriterId;
    let former: readonly WriterId[];
    for (;;) {
      const epoch = await this.current();
      writer = writerIdOf(site, epoch);
      former = await sharing.claim(room, writer);
      const latest = Math.max(this.claimed.get(room) ?? 0, ...former.map(epochOf));
      if (latest < epoch) break;
      await this.beginAnew(epoch);
    }
    await this.followOn(room, former);
    await sharing.settle(room, writer);
    // Meanwhile it may have become somebody else's.
    if (this.closed || (this.claimed.get(room) ?? 0) > epochOf(writer)) return false;
    this.held.set(room, epochOf(writer));
    began(room, epochOf(writer));
    return true;
  }

  /** Ends what others wrote of a room, and takes all of it. What they are about to write is refused; what they have written is here. */
  private async followOn(room: string, former: readonly WriterId[]): Promise<void> {
    const { sharing } = this.parts;
    const chronicle = this.parts.chronicle(room);
    const openings = former.map((writer) => streamNameOf('room', room, writer));
    await sharing.fence(openings);
    await chronicle.adopt(await this.read(openings));
    const meetings = former.flatMap((writer) => chronicle.loaded().map((id: ConferenceId) => streamNameOf('conference', id, writer)));
    await sharing.fence(meetings);
    await chronicle.adopt(await this.read(meetings));
  }

  private async read(streams: readonly StreamName[]): Promise<readonly Fact[]> {
    const read = async (stream: StreamName): Promise<Fact[]> => {
      const facts: Fact[] = [];
      for await (const fact of this.parts.store.read(stream)) facts.push(fact);
      return facts;
    };
    return (await Promise.all(streams.map(read))).flat();
  }

  private async current(): Promise<number> {
    while (this.epoch < this.notBefore) await this.beginAnew(this.epoch);
    return this.epoch;
  }

  /** Unless it has been done meanwhile for another room. */
  private beginAnew(after: number): Promise<void> {
    const turn = this.beginning.then(async () => {
      if (this.epoch <= after) this.epoch = await this.parts.store.beginEpoch();
    });
    this.beginning = turn.catch(() => undefined);
    return turn;
  }
}

/** What a brain answers that does not decide for a room: nothing. Another one does. */
export const ELSEWHERE = 'brain.elsewhere';
export const elsewhere = (room: string): Fault => new Fault(ELSEWHERE, 'Another brain of this site decides for this room.', { room });
