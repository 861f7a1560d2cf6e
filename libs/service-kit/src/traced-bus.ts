import { SpanKind, type Attributes } from '@opentelemetry/api';
import type { Bus, Message } from '@isthmus/ports';
import { currentTraceparent, inService, inSpan, isTraced, untraced } from './trace.js';

const SERVICE_OF = new WeakMap<Bus, string>();

/**
 * The same bus, with every message that belongs to a trace carrying it on (`traceparent` in its headers), and a span at each
 * end. A message that belongs to no trace begins none: reports every second would drown the joins. Span names and attributes
 * as in OpenTelemetry's messaging conventions (in development there; ours change with them).
 */
export const tracedBus = (bus: Bus, service: string): Bus => {
  if (SERVICE_OF.get(bus) === service) return bus;
  const traced: Bus = {
    publish: (message) => sending('send', message, (withTrace) => bus.publish(withTrace)),
    request: (message, deadlineMs) => sending('request', message, (withTrace) => bus.request(withTrace, deadlineMs)),
    subscribe: (topic, options, handle) => bus.subscribe(topic, options, (message) => inService(service, () => receiving(message, handle))),
    ...(bus.trouble ? { trouble: () => bus.trouble!() } : {}),
    ...(bus.degraded ? { degraded: () => bus.degraded!() } : {}),
    close: () => bus.close(),
  };
  SERVICE_OF.set(traced, service);
  const sending = <T>(operation: 'send' | 'request', message: Message, send: (message: Message) => Promise<T>): Promise<T> => {
    if (!isTraced()) return send(message);
    return inService(service, () =>
      inSpan(
        `${operation} ${message.topic}`,
        attributesOf(operation, message),
        () => {
          const traceparent = currentTraceparent();
          return send(traceparent ? { ...message, headers: { ...message.headers, traceparent } } : message);
        },
        { kind: operation === 'send' ? SpanKind.PRODUCER : SpanKind.CLIENT },
      ),
    );
  };
  return traced;
};

const receiving = (message: Message, handle: (message: Message) => Promise<Message | void>): Promise<Message | void> => {
  const parent = message.headers?.['traceparent'];
  // A bus within the process may hand it over in the middle of somebody else's trace.
  if (!parent) return untraced(() => handle(message));
  return inSpan(`process ${message.topic}`, attributesOf('process', message), () => handle(message), { parent, kind: SpanKind.CONSUMER });
};

const attributesOf = (operation: string, message: Message): Attributes => ({
  'messaging.system': 'isthmus',
  'messaging.destination.name': message.topic,
  'messaging.operation.name': operation,
  'messaging.operation.type': operation === 'process' ? 'process' : 'send',
});
