import { streamNameOf, writerIdOf, type FactHash, type SiteId, type StreamName } from '@isthmus/kernel';
import { beforeEach, describe, expect, it } from 'vitest';
import { Heads } from './heads.js';
import { Wants } from './wants.js';

describe('what is wanted of others', () => {
  const [nyc, lon, cpt, sin] = ['nyc', 'lon', 'cpt', 'sin'] as SiteId[] as [SiteId, SiteId, SiteId, SiteId];
  const streamOf = (site: SiteId, room = 'r0') => streamNameOf('conference', `${room}_1`, writerIdOf(site, 1));
  const [theirs, ours] = [streamOf(sin), streamOf(nyc)];
  let heads: Heads;
  let wants: Wants;

  beforeEach(() => {
    heads = new Heads();
    wants = new Wants(nyc, heads);
  });

  const holds = (stream: StreamName, seq: number) => heads.keep([{ stream, seq, hash: `${seq}` as FactHash }]);
  const asks = (...peers: readonly SiteId[]) => Object.fromEntries(wants.next(new Set(peers)));
  const seconds = (count: number) => {
    for (let n = 0; n < count; n++) wants.tick();
  };

  it('is asked of one who said that they hold it, and of the next when that one is lost', () => {
    wants.add(theirs, lon, 4);
    wants.add(theirs, cpt, 4);
    expect(asks(lon, cpt)).toEqual({ lon: [theirs] });
    expect(asks(lon, cpt)).toEqual({});
    seconds(3);
    expect(asks(cpt)).toEqual({ cpt: [theirs] });
  });

  it('is asked of the next also when one who is there does not answer, and of that one again', () => {
    wants.add(theirs, lon, 4);
    wants.add(theirs, cpt, 4);
    expect(asks(lon, cpt)).toEqual({ lon: [theirs] });
    seconds(3);
    expect(asks(lon, cpt)).toEqual({ cpt: [theirs] });
    seconds(3);
    expect(asks(lon, cpt)).toEqual({ lon: [theirs] });
  });

  it('is asked of whoever holds more, when one had less than the other', () => {
    wants.add(theirs, lon, 2);
    wants.add(theirs, cpt, 4);
    expect(asks(lon, cpt)).toEqual({ lon: [theirs] });
    wants.answered(theirs);
    holds(theirs, 2);
    wants.came(theirs, lon);
    expect(asks(lon, cpt)).toEqual({ cpt: [theirs] });
    wants.answered(theirs);
    holds(theirs, 4);
    wants.came(theirs, cpt);
    expect([wants.has(theirs), asks(lon, cpt)]).toEqual([false, {}]);
  });

  it('is asked again of the one who gave it, if the store did not take it', () => {
    wants.add(theirs, lon, 4);
    asks(lon);
    wants.answered(theirs);
    expect(asks(lon)).toEqual({ lon: [theirs] });
  });

  it('is asked of the next when one has shown what cannot be true', () => {
    wants.add(theirs, lon, 4);
    wants.add(theirs, cpt, 4);
    asks(lon, cpt);
    wants.answered(theirs);
    wants.drop(theirs, lon);
    expect(asks(lon, cpt)).toEqual({ cpt: [theirs] });
  });

  it('is forgotten when all who held it are lost: whoever comes back says so anew', () => {
    wants.add(theirs, lon, 4);
    expect(asks()).toEqual({});
    expect(wants.has(theirs)).toBe(false);
  });

  it('is nothing that is here', () => {
    holds(theirs, 4);
    wants.add(theirs, lon, 4);
    expect(wants.has(theirs)).toBe(false);
  });

  it('waits for those who hold what we lost ourselves, until it is plain that they cannot show it', () => {
    wants.add(ours, lon, Infinity);
    wants.add(ours, cpt, 7);
    expect(asks()).toEqual({});
    for (let times = 0; times < 5; times++) {
      expect(asks(lon, cpt)).toEqual({ lon: [ours] });
      seconds(3);
    }
    expect(asks(lon, cpt)).toEqual({ cpt: [ours] });
    wants.answered(ours);
    holds(ours, 7);
    wants.came(ours, cpt);
    expect(wants.has(ours)).toBe(false);
  });

  it('is asked for a few streams at a time', () => {
    const streams = Array.from({ length: 20 }, (_, n) => streamOf(sin, `r${n}`));
    for (const stream of streams) wants.add(stream, lon, 1);
    expect(asks(lon)).toEqual({ lon: streams.slice(0, 16) });
    wants.answered(streams[0]!);
    wants.drop(streams[0]!, lon);
    expect(asks(lon)).toEqual({ lon: [streams[16]] });
  });
});
