import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Bus, Message, Subscription } from '@isthmus/ports';
import { tracedBus } from './traced-bus.js';

/**
 * Lets Nest's `@MessagePattern` and `@EventPattern` handlers listen on any {@link Bus}; the only class that knows both.
 * A handler gets the message's value and, as its context, the message. What a `@MessagePattern` handler returns is the answer;
 * one that returns nothing leaves it to others.
 * Handlers run as part of the service and of the trace that the message belongs to.
 */
export class BusServer extends Server implements CustomTransportStrategy {
  private readonly subscriptions: Subscription[] = [];

  private readonly bus: Bus;

  constructor(
    bus: Bus,
    service: string,
    private readonly group: string = service,
  ) {
    super();
    this.bus = tracedBus(bus, service);
  }

  async listen(ready: (error?: unknown) => void): Promise<void> {
    try {
      for (const [topic, handler] of this.messageHandlers) {
        const handle = async (message: Message): Promise<Message | void> => {
          const result: unknown = await handler(message.value, message);
          const value: unknown = isObservable(result) ? await lastValueFrom(result, { defaultValue: undefined }) : result;
          if (!handler.isEventHandler && value !== undefined) return { topic, key: message.key, value };
        };
        this.subscriptions.push(await this.bus.subscribe(topic, { group: this.group }, handle));
      }
      ready();
    } catch (error) {
      ready(error);
    }
  }

  async close(): Promise<void> {
    for (const subscription of this.subscriptions.splice(0)) await subscription.close();
  }

  on(): never {
    throw new Error('BusServer has no events of its own');
  }

  unwrap<T>(): T {
    return this.bus as T;
  }
}
