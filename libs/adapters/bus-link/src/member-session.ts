import { Fault, Refusal } from '@isthmus/kernel';
import type { SecureLink } from '@isthmus/peers-http';
import type { Bus, Message, Subscription, Topic } from '@isthmus/ports';
import { arrived, crossing, type FromMember, type ToMember } from './bus-link-protocol.js';
import type { BusRights } from './bus-door.js';

type Deliver = Extract<ToMember, { type: 'deliver' }>;
type Heard = Exclude<FromMember, { type: 'hello' | 'bye' }>;

interface Delivery {
  readonly frame: Deliver;
  readonly settle: (done: Extract<FromMember, { type: 'done' }>) => void;
  readonly fail: (error: Error) => void;
}

/** What one member has on the bus. It outlives the member's link for a while, so that a link that broke costs no message. */
export class MemberSession {
  link: SecureLink | undefined;
  ended = false;
  /** How often its link was lost. */
  losses = 0;
  private readonly subscriptions = new Map<number, Subscription>();
  private readonly deliveries = new Map<number, Delivery>();
  private delivered = 0;

  constructor(
    private readonly bus: Bus,
    readonly id: string,
    readonly name: string,
    private readonly rights: BusRights,
    link: SecureLink,
  ) {
    this.link = link;
    this.say({ type: 'welcome', resumed: false });
  }

  /** The member is back: what it has not said to be done is delivered again. */
  resume(link: SecureLink): void {
    this.link?.close('a newer link took its place');
    this.link = link;
    this.say({ type: 'welcome', resumed: true });
    for (const { frame } of this.deliveries.values()) this.say(frame);
  }

  hear(message: Heard): void {
    switch (message.type) {
      case 'publish':
        return this.answer(message.id, async () => {
          this.mayUse('publish', message.message.topic);
          await this.bus.publish(plain(message.message));
          return { type: 'ok', re: message.id };
        });
      case 'request':
        return this.answer(message.id, async () => {
          this.mayUse('request', message.message.topic);
          return { type: 'answer', re: message.id, message: await this.bus.request(plain(message.message), message.deadlineMs) };
        });
      case 'subscribe':
        return this.answer(message.id, async () => {
          await this.subscribe(message.id, message.topic, message.group);
          return { type: 'ok', re: message.id };
        });
      case 'unsubscribe':
        return this.answer(message.id, async () => {
          const subscription = this.subscriptions.get(message.subscription);
          this.subscriptions.delete(message.subscription);
          await subscription?.close();
          return { type: 'ok', re: message.id };
        });
      case 'done': {
        const delivery = this.deliveries.get(message.delivery);
        this.deliveries.delete(message.delivery);
        return delivery?.settle(message);
      }
    }
  }

  /** Quiet the second time. */
  async end(): Promise<void> {
    this.ended = true;
    this.link?.close('its session ended');
    this.link = undefined;
    const gone = new Fault('bus.member-gone', `${this.name} is gone from the bus.`, { member: this.name });
    for (const { fail } of this.deliveries.values()) fail(gone);
    this.deliveries.clear();
    const subscriptions = [...this.subscriptions.values()];
    this.subscriptions.clear();
    await Promise.all(subscriptions.map((subscription) => subscription.close()));
  }

  private async subscribe(id: number, topic: Topic, group: string): Promise<void> {
    this.mayUse('subscribe', topic);
    // Said again after a link broke before it was confirmed.
    if (this.subscriptions.has(id)) return;
    const subscription = await this.bus.subscribe(topic, { group }, (message) => this.deliver(id, message));
    if (this.ended) return subscription.close();
    this.subscriptions.set(id, subscription);
  }

  private deliver(subscription: number, message: Message): Promise<Message | void> {
    const delivery = ++this.delivered;
    const frame: Deliver = { type: 'deliver', delivery, subscription, message: plain(message) };
    return new Promise((resolve, reject) => {
      this.deliveries.set(delivery, {
        frame,
        settle: ({ answer, error }) => (error ? reject(arrived(error)) : resolve(answer ? plain(answer) : undefined)),
        fail: reject,
      });
      this.say(frame);
    });
  }

  private mayUse(what: keyof BusRights, topic: Topic): void {
    if (this.rights[what].has(topic)) return;
    throw new Refusal('bus.forbidden', `${this.name} may not ${what} ${topic}.`, { topic });
  }

  private answer(re: number, act: () => Promise<ToMember>): void {
    act().then(
      (answer) => this.say(answer),
      (error: unknown) => this.say({ type: 'failed', re, error: crossing(error) }),
    );
  }

  private say(message: ToMember): void {
    this.link?.send(message);
  }
}

type Wire = Extract<FromMember, { type: 'publish' }>['message'];
const plain = ({ topic, key, value, headers }: Wire | Message): Message => ({ topic, key, value, ...(headers ? { headers } : {}) });
