import type { Message } from '@isthmus/ports';

/** One message on its way to one group. */
export interface Delivery {
  readonly key: string;
  /** Makes the copy that the handler gets. */
  readonly copy: () => Message;
  readonly answered: (answer: Message | undefined) => void;
  readonly failed: (error: unknown) => void;
}

type Handle = (message: Message) => Promise<Message | undefined>;

interface Member {
  readonly handle: Handle;
  /** What it is working on. */
  readonly running: Set<Promise<void>>;
}

/** After so many messages in a row a group lets sockets and timers have their turn. */
const TURN = 64;
/** How long a leaving member may finish what it is doing. */
const FAREWELL_MS = 1_000;

/**
 * The members of one group on one topic, and the messages that wait for them: one lane per key, each lane handled one message
 * at a time, so that order per key holds whoever of the members is at work. Lanes run beside each other.
 */
export class Group {
  private readonly members: Member[] = [];
  private readonly lanes = new Map<string, Delivery[]>();
  private waiting = 0;
  private handled = 0;
  private turn: Promise<void> | undefined;

  constructor(
    readonly name: string,
    private readonly limit: number,
  ) {}

  isEmpty(): boolean {
    return this.members.length === 0;
  }

  /** @returns the way out: resolves when this member has finished what it was doing. */
  join(handle: Handle): () => Promise<void> {
    const member: Member = { handle, running: new Set() };
    this.members.push(member);
    return async () => {
      const index = this.members.indexOf(member);
      if (index >= 0) this.members.splice(index, 1);
      await finished(member);
    };
  }

  /** False if there is no room. */
  offer(delivery: Delivery): boolean {
    if (this.waiting >= this.limit) return false;
    this.waiting++;
    const lane = this.lanes.get(delivery.key);
    if (lane) {
      lane.push(delivery);
    } else {
      this.lanes.set(delivery.key, [delivery]);
      void this.work(delivery.key);
    }
    return true;
  }

  async close(): Promise<void> {
    const leaving = this.members.splice(0);
    await Promise.all(leaving.map(finished));
  }

  private async work(key: string): Promise<void> {
    const lane = this.lanes.get(key)!;
    // The publisher goes on first: nobody's handler runs inside somebody's publish.
    await Promise.resolve();
    for (let delivery = lane.shift(); delivery; delivery = lane.shift()) {
      await this.breathe();
      this.waiting--;
      await this.deliver(delivery);
    }
    this.lanes.delete(key);
  }

  private async breathe(): Promise<void> {
    if (++this.handled < TURN) return;
    this.turn ??= new Promise((resolve) =>
      setImmediate(() => {
        this.handled = 0;
        this.turn = undefined;
        resolve();
      }),
    );
    await this.turn;
  }

  private async deliver(delivery: Delivery): Promise<void> {
    const member = this.memberFor(delivery.key);
    if (!member) return delivery.answered(undefined);
    const running = (async () => {
      try {
        delivery.answered(await member.handle(delivery.copy()));
      } catch (error) {
        delivery.failed(error);
      }
    })();
    member.running.add(running);
    await running;
    member.running.delete(running);
  }

  /** The same member for the same key while the membership lasts, as a broker's partitions would have it. */
  private memberFor(key: string): Member | undefined {
    let hash = 0;
    for (let index = 0; index < key.length; index++) hash = (hash * 31 + key.charCodeAt(index)) >>> 0;
    return this.members[hash % this.members.length];
  }
}

const finished = async (member: Member): Promise<void> => {
  if (member.running.size === 0) return;
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FAREWELL_MS);
  });
  await Promise.race([Promise.all(member.running), patience]);
  clearTimeout(timer);
};
