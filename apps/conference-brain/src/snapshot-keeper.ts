import type { Cancel, EventStore, Position, Timers } from '@isthmus/ports';
import type { StreamName } from '@isthmus/kernel';
import { logOf } from '@isthmus/service-kit/observing';
import type { Chronicle } from './chronicle.js';
import type { Group } from './footing.js';
import type { Meeting } from './meeting.js';
import { snapshotText, type KeptSnapshot, type StreamPlace } from './snapshot-text.js';

export interface SnapshotSettings {
  /** A room is due after so many facts, or after an eighth more than it had, whichever is more. Default 500 */
  readonly everyFacts?: number;
  /** How often it is looked for rooms that are due. Default 5 s */
  readonly lookEveryMs?: number;
  /** As a share of what the last snapshot had: so much more there must be at least. Default an eighth. */
  readonly growth?: number;
  /** When, after a start, the facts are read that snapshots were made of. Default 3 s: the first seconds are for people who come back. */
  readonly readBehindAfterMs?: number;
  readonly heard?: (what: SnapshotNews, room: string) => void;
}

/**
 * One was kept. A start went on from one, or found one undercut by a later fact. Or, which must never be, one was not what its facts
 * come to.
 */
export type SnapshotNews = 'kept' | 'used' | 'undercut' | 'contradicted';

export interface SnapshotParts {
  readonly store: EventStore;
  readonly timers: Timers;
  readonly settings: SnapshotSettings | undefined;
  /** What this brain decides, by room: of that it keeps snapshots. */
  readonly meetings: () => ReadonlyMap<string, Meeting>;
}

interface Progress {
  /** Of which conferences, by name. */
  readonly of: string;
  readonly places: Map<StreamName, StreamPlace & { readonly count: number }>;
  /** How many facts the last snapshot had. */
  length: number;
}

const EVERY_FACTS = 500;
const LOOK_EVERY_MS = 5_000;
const READ_BEHIND_AFTER_MS = 3_000;
const GROWTH = 1 / 8;

/**
 * Keeps snapshots of rooms with long histories, one after the other and beside all else, so that the brain comes back quickly (merge
 * rule 13). What goes wrong here costs nobody anything: a snapshot that is missing is a longer start.
 */
export class SnapshotKeeper {
  private readonly progress = new Map<string, Progress>();
  private readonly waking: Cancel[] = [];
  private readonly log = logOf('conference-brain');
  private busy = false;
  private reads = false;
  private closed = false;

  constructor(private readonly parts: SnapshotParts) {}

  start(): void {
    const { timers, settings } = this.parts;
    this.waking.push(
      timers.every(settings?.lookEveryMs ?? LOOK_EVERY_MS, () => void this.look()),
      timers.after(settings?.readBehindAfterMs ?? READ_BEHIND_AFTER_MS, () => {
        this.reads = true;
        void this.look();
      }),
    );
  }

  close(): void {
    this.closed = true;
    for (const cancel of this.waking.splice(0)) cancel();
  }

  heard(what: SnapshotNews, room: string): void {
    if (what === 'contradicted') {
      this.log.error({ room }, 'a snapshot was not what its facts come to; the facts count');
      this.parts.meetings().get(room)?.refresh();
    }
    this.parts.settings?.heard?.(what, room);
  }

  /** A start went on from this one, and so do the next. */
  goesOn(room: string, { conferences, places, snapshot }: KeptSnapshot): void {
    const learned = snapshot.tips.map(({ stream, seq }) => [stream, { ...places[stream]!, count: seq + 1 }] as const);
    this.progress.set(room, { of: conferences.join(), places: new Map(learned), length: snapshot.length });
    this.heard('used', room);
  }

  private async look(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      for (const { chronicle } of [...this.parts.meetings().values()]) {
        if (this.closed) return;
        if (this.reads) await chronicle.whole();
        const group = chronicle.only();
        if (group !== undefined) await this.keepIfDue(chronicle, group);
        else if (chronicle.isEmpty && this.progress.delete(chronicle.room)) await this.parts.store.keepSnapshot(chronicle.room, undefined);
      }
    } catch (error) {
      this.log.debug({ error }, 'a snapshot could not be kept; it is tried again');
    } finally {
      this.busy = false;
    }
  }

  private async keepIfDue(chronicle: Chronicle, group: Group): Promise<void> {
    const of = group.ids.join();
    const known = this.progress.get(chronicle.room);
    const progress = known?.of === of ? known : { of, places: new Map(), length: 0 };
    this.progress.set(chronicle.room, progress);
    const { everyFacts = EVERY_FACTS, growth = GROWTH } = this.parts.settings ?? {};
    const due = Math.max(everyFacts, progress.length * growth);
    if (group.timeline.length - progress.length >= due) await this.keep(chronicle, group, progress);
  }

  private async keep(chronicle: Chronicle, group: Group, progress: Progress): Promise<void> {
    const { places } = progress;
    for (const { stream } of group.timeline.heads()) if (!(await this.learnOn(chronicle, stream, places))) return;
    // From here on nothing comes between: as much was learned of each stream as is folded, so it is the same.
    if (this.closed || chronicle.only() !== group) return;
    const snapshot = group.timeline.snapshot();
    if (snapshot === undefined) return;
    if (snapshot.tips.some(({ stream, seq }) => places.get(stream)?.count !== seq + 1)) return;
    progress.length = snapshot.length;
    const text = snapshotText({ conferences: group.ids, places: Object.fromEntries(places), snapshot });
    await this.parts.store.keepSnapshot(chronicle.room, text);
    this.heard('kept', chronicle.room);
  }

  /** Goes on to where the store has come with a stream. False if it has something that is not folded yet. */
  private async learnOn(chronicle: Chronicle, stream: StreamName, places: Progress['places']): Promise<boolean> {
    const known = places.get(stream);
    let [position, count]: [Position | undefined, number] = [known?.position, known?.count ?? 0];
    for await (const { fact, position: place } of this.parts.store.learned(stream, position)) {
      if (!chronicle.holds(fact)) return false;
      [position, count] = [place, count + 1];
      places.set(stream, { position: place, count, at: fact.at });
    }
    return true;
  }
}
