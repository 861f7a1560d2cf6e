import type { ConferenceId } from '@isthmus/conference';
import type { NodeId } from '@isthmus/placement';
import type { Intermediaries } from '@isthmus/protocol';
import type { Nodes } from './nodes.js';

/** Which of our nodes stands for this site in each room; a pipe between two sites comes to be when both ends have said so. */
export class StandIns {
  private readonly byRoom = new Map<ConferenceId, Intermediaries['intermediaries'][number]>();

  constructor(private readonly nodes: Nodes) {}

  get all(): Intermediaries['intermediaries'] {
    return [...this.byRoom.values()];
  }

  /** @returns whether the peers must be told: it is news */
  is(room: ConferenceId, node: NodeId | undefined): boolean {
    const url = node === undefined ? undefined : this.nodes.linkUrls().get(node);
    const said = this.byRoom.get(room);
    if (said?.node === node && said?.url === url) return false;
    if (node === undefined || url === undefined) this.byRoom.delete(room);
    else this.byRoom.set(room, { conference: room, node, url });
    return true;
  }
}
