import type { Socket } from 'node:net';
import type { DirectedLink } from './link.js';

/** What may be under way in one direction of one connection before the sender has to wait. */
const UNDER_WAY_BYTES_MAX = 256 * 1024;

/** `end`: the sender says no more; `gone`: the sender's connection is no more. */
type Word = Buffer | 'end' | 'gone';

interface Waiting {
  readonly dueMs: number;
  readonly word: Word;
}

/**
 * One direction of a TCP connection over a link: in order, as late as the link says, and standing still while it is cut, as
 * TCP does (a cut loses nothing, the sender only waits; nor does anybody learn over a cut link that the other has gone).
 */
export const openLane = (link: DirectedLink, source: Socket, sink: Socket): void => {
  const waiting: Waiting[] = [];
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;

  const take = (word: Word) => {
    const { delayMs, jitterMs } = link.condition;
    waiting.push({ dueMs: Math.max(performance.now() + delayMs + Math.random() * jitterMs, waiting.at(-1)?.dueMs ?? 0), word });
    bytes += word.length;
    release();
  };
  const release = () => {
    clearTimeout(timer);
    for (let next = waiting[0]; next && !link.condition.cut && !sink.writableNeedDrain; next = waiting[0]) {
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) {
        timer = setTimeout(release, waitMs);
        break;
      }
      waiting.shift();
      bytes -= next.word.length;
      pass(next.word);
    }
    if (bytes < UNDER_WAY_BYTES_MAX) source.resume();
    else source.pause();
  };
  const pass = (word: Word) => {
    if (word === 'end') sink.end();
    else if (word === 'gone') sink.destroySoon();
    else {
      link.meter.tcp(word.length);
      sink.write(word);
    }
  };
  const stop = () => {
    clearTimeout(timer);
    waiting.length = 0;
    link.off('changed', release);
  };

  link.on('changed', release);
  source.on('data', take);
  source.on('end', () => take('end'));
  source.on('close', () => sink.destroyed || take('gone'));
  sink.on('drain', release);
  sink.on('close', stop);
  release();
};
