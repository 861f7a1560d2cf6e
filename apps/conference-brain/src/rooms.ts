import type { ConferenceId } from '@isthmus/conference';
import { writerIdOf, type Fact } from '@isthmus/kernel';
import { Chronicle } from './chronicle.js';
import type { RoomDigest } from './diagnostics.js';
import type { History } from './footing.js';
import { elsewhere } from './holding.js';
import type { Meeting } from './meeting.js';
import type { Nodes } from './nodes.js';
import type { Writer } from './writer.js';

export interface RoomsParts {
  /** This brain's; where several share the rooms of a site, each room has its own, as of when it was taken. */
  readonly writer: Writer;
  readonly nodes: Nodes;
  readonly made: (chronicle: Chronicle) => Meeting;
  /** Only where several brains share the rooms: the store takes nothing more from us for this one. */
  readonly fenced: ((room: string) => void) | undefined;
}

/** The rooms of which something is known, and those among them that this brain decides: all, if it is the only one. */
export class Rooms {
  private readonly chronicles = new Map<string, Chronicle>();
  private readonly decided = new Map<string, Meeting>();

  constructor(private readonly parts: RoomsParts) {}

  get known(): ReadonlyMap<string, Chronicle> {
    return this.chronicles;
  }

  /** The rooms that this brain decides. */
  get meetings(): ReadonlyMap<string, Meeting> {
    return this.decided;
  }

  chronicle(room: string): Chronicle {
    let chronicle = this.chronicles.get(room);
    if (chronicle === undefined) {
      const { writer, fenced } = this.parts;
      chronicle = new Chronicle(room, fenced === undefined ? writer : { ...writer, fenced: () => fenced(room) });
      this.chronicles.set(room, chronicle);
    }
    return chronicle;
  }

  /** A room that this brain decides, because it decides all. */
  meeting(room: string): Meeting {
    const meeting = this.decided.get(room) ?? this.parts.made(this.chronicle(room));
    this.decided.set(room, meeting);
    return meeting;
  }

  /** @throws Fault `brain.elsewhere` */
  heldMeeting(room: string): Meeting {
    const meeting = this.decided.get(room);
    if (meeting === undefined) throw elsewhere(room);
    return meeting;
  }

  /** This brain decides a room from now on, as another did before: people stay where their media are. */
  begin(room: string, epoch: number): Meeting {
    const { writer } = this.chronicle(room);
    Object.assign(writer, { epoch, id: writerIdOf(writer.site, epoch) });
    const meeting = this.meeting(room);
    meeting.begin();
    meeting.refresh();
    for (const { node, legs, epoch: of } of this.parts.nodes.holding(room as ConferenceId)) meeting.found(node, legs, of);
    return meeting;
  }

  /** This brain does not decide it any more. */
  end(room: string): void {
    this.decided.get(room)?.retire();
    this.decided.delete(room);
  }

  /** Takes facts that are durable here and of which this brain has not decided. */
  async take(room: string, facts: readonly Fact[]): Promise<void> {
    const meeting = this.parts.fenced === undefined ? this.meeting(room) : this.decided.get(room);
    if (meeting !== undefined) return meeting.adopted(facts);
    const chronicle = this.chronicle(room);
    await chronicle.adopt(facts);
    if (!this.decided.has(room)) chronicle.forgetEmpty();
  }

  /** All that is known of a room has been read. */
  read(room: string): void {
    if (this.parts.fenced === undefined) this.meeting(room).begin();
    else this.chronicle(room).forgetEmpty();
  }

  histories(room: string): readonly History[] {
    return this.chronicles.get(room)?.histories() ?? [];
  }

  async digests(): Promise<readonly RoomDigest[]> {
    for (const chronicle of this.chronicles.values()) await chronicle.whole();
    return [...this.chronicles].map(([room, chronicle]) => ({ room, occasions: chronicle.digests() }));
  }
}
