import type { NodeId } from '@isthmus/placement';

/** How often a node that is there is told that a meeting is over for it. */
const TOLD = 2;

/** Which media nodes carried a meeting and do not any more. One that is lost now may come back, and is told then. */
export class LetGo {
  private readonly told = new Map<NodeId, number>();
  private used: readonly NodeId[] = [];

  constructor(private readonly isLost: (node: NodeId) => boolean) {}

  /** The brain before this one wanted it there. True if this one does not, and the node has to be told. */
  also(node: NodeId): boolean {
    if (this.used.includes(node)) return false;
    this.told.set(node, 0);
    return true;
  }

  /** Who has to be told now that it has nobody. @param wanted the nodes that carry the meeting from now on */
  next(wanted: readonly NodeId[]): readonly NodeId[] {
    for (const node of this.used) if (!wanted.includes(node) && !this.told.has(node)) this.told.set(node, 0);
    this.used = wanted;
    for (const [node, times] of this.told) {
      if (wanted.includes(node) || times >= TOLD) this.told.delete(node);
      else if (!this.isLost(node)) this.told.set(node, times + 1);
    }
    return [...this.told.keys()];
  }
}
