import type { Brand, SiteId } from '@isthmus/kernel';
import type { ConferenceId, LegId, Stage } from '@isthmus/conference';

/** One media node: an engine that forwards, in one site. */
export type NodeId = Brand<string, 'NodeId'>;

/** What one leg that is placed on the node should get, and may give. */
export interface LegDesire {
  readonly leg: LegId;
  /** SHA-256 (hex) of the token that the client shows when it attaches; the token itself never travels with a desire. */
  readonly tokenHash: string;
  readonly stage: Stage;
  /** Whose voices it hears, itself never among them. */
  readonly hears: readonly LegId[];
  /** What it may send now. A host's mute and a held leg are enforced here, whatever the client does. */
  readonly may: { readonly speak: boolean; readonly show: boolean };
  /** Which of its camera layers anybody anywhere watches; the node tells the publisher to stop the others. */
  readonly watched: { readonly large: boolean; readonly small: boolean };
}

/** What must travel from this node to another node of the same conference, and no more. */
export interface PipeDesire {
  readonly to: {
    readonly site: SiteId;
    readonly node: NodeId;
    /** The other node's media link, `wss://host:port`. */ readonly url: string;
  };
  readonly sends: readonly { readonly leg: LegId; readonly large: boolean; readonly small: boolean; readonly voice: boolean }[];
}

/**
 * What one node should be doing for one conference. The node makes it so and keeps it so. It is the whole desire each
 * time, never a change; a node ignores one that is older than what it has. Empty legs and pipes mean: close it.
 */
export interface NodeDesire {
  readonly node: NodeId;
  readonly conference: ConferenceId;
  readonly room: string;
  readonly version: { readonly epoch: number; readonly revision: number };
  readonly legs: readonly LegDesire[];
  readonly pipes: readonly PipeDesire[];
  /** This node is its site's intermediary for the conference: it hears everyone, and says who of its own site has the floor. */
  readonly intermediary: boolean;
}
