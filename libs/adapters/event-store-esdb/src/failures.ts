import { ErrorType } from '@eventstore/db-client';
import { Fault, Refusal, type StreamName } from '@isthmus/kernel';

/** A fault that trying again does not mend. */
class LastingFault extends Fault {
  override readonly retryable = false;
}

export const kindOf = (error: unknown): ErrorType | undefined => (error as { type?: ErrorType } | null)?.type;

/** Whether the same call may fare better in a moment: the server is away, has just started, or has another leader now. */
export const mayPass = (error: unknown): boolean => {
  switch (kindOf(error)) {
    case ErrorType.ACCESS_DENIED:
    case ErrorType.INVALID_ARGUMENT:
    case ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED:
    case ErrorType.WRONG_EXPECTED_VERSION:
    case ErrorType.STREAM_DELETED:
    case ErrorType.STREAM_NOT_FOUND:
      return false;
    default:
      return !(error instanceof Refusal) && !(error instanceof Fault && !error.retryable);
  }
};

/** What the client ran into, in our words. @param where the server as a person may read it, without a password */
export const failureOf = (error: unknown, where: string): Fault | Refusal => {
  if (error instanceof Fault || error instanceof Refusal) return error as Fault | Refusal;
  const message = error instanceof Error ? error.message : String(error);
  switch (kindOf(error)) {
    case ErrorType.ACCESS_DENIED:
      return new LastingFault(
        'store.forbidden',
        `EventStoreDB at ${where} does not let us in, or not at $all. Check the user and password in the connection string, and the user's rights.`,
        { where },
        { cause: error },
      );
    case ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED:
      return new Refusal(
        'store.too-large',
        `EventStoreDB at ${where} takes no append of this size. Give it a larger --max-append-size.`,
        { where },
        { cause: error },
      );
    default:
      return new Fault(
        'store.unavailable',
        `EventStoreDB at ${where} cannot be used: ${message}. Is it running, and reachable from here?`,
        { where },
        { cause: error },
      );
  }
};

export const fencedFault = (stream: StreamName): Fault =>
  new LastingFault('store.fenced', `${stream} is fenced: somebody else decides here by now, and whoever did before writes no more.`, {
    stream,
  });

export const closedFault = (): Fault =>
  new LastingFault('store.unavailable', 'The event store of this process is closed: it is shutting down.');
