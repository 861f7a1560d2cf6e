import { Fault, Refusal } from '@isthmus/kernel';

export type MediaRefusal = 'media.bad-parameters';
export type MediaFault = 'media.engine-lost' | 'media.engine-missing' | 'media.port-taken';

/** The parameters came from a client or a peer, so an error that mediasoup raises over them is theirs. */
export const refuseBadParameters = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
  try {
    return await act();
  } catch (error) {
    throw translated(error, what);
  }
};

const translated = (error: unknown, what: string): Error => {
  const reason = error instanceof Error ? error.message : String(error);
  const name = error instanceof Error ? error.name : '';
  const lost = name === 'InvalidStateError' || name === 'WorkerClosedError' || /closed/i.test(reason);
  if (lost)
    return new Fault<MediaFault>('media.engine-lost', `The media engine went away during ${what}; attach again.`, {}, { cause: error });
  return new Refusal<MediaRefusal>(
    'media.bad-parameters',
    `The parameters of ${what} were not accepted: ${reason.slice(0, 200)}.`,
    {},
    { cause: error },
  );
};

/** What is asked of a stream or feed that ended a moment ago, before we heard of it, is as good as done. */
export const unlessGone = async (act: Promise<unknown>): Promise<void> => {
  try {
    await act;
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name !== 'NotFoundError' && name !== 'InvalidStateError' && name !== 'WorkerClosedError') throw error;
  }
};
