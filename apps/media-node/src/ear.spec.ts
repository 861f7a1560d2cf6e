import { describe, expect, it } from 'vitest';
import { Ear, LOST_IN_A_ROW } from './ear.js';

/** The other end sends, says so, and we look, in turn; `arrives` says which probes get here. */
const run = (ear: Ear, probes: number, arrives: (number: number) => boolean = () => true, from = 0): number => {
  for (let number = from + 1; number <= from + probes; number += 1) {
    if (arrives(number)) ear.probe(number);
    ear.told(number);
    ear.look();
  }
  return from + probes;
};
const nothing = () => false;

describe('the ear of a media node', () => {
  it('hears as long as nothing is known, and while probes come', () => {
    const ear = new Ear();
    expect(ear.hears).toBe(true);
    run(ear, 100);
    expect(ear.hears).toBe(true);
  });

  it('does not hear when what was sent does not come, and hears again when it comes without a gap', () => {
    const ear = new Ear();
    const cut = run(ear, 20);
    const late = run(ear, LOST_IN_A_ROW, nothing, cut);
    expect(ear.hears).toBe(true);
    const mended = run(ear, LOST_IN_A_ROW, nothing, late);
    expect(ear.hears).toBe(false);
    const patchy = run(ear, 40, (number) => number % 4 !== 0, mended);
    expect(ear.hears).toBe(false);
    run(ear, 10, undefined, patchy);
    expect(ear.hears).toBe(true);
  });

  it('bears that half of all probes are lost', () => {
    const ear = new Ear();
    run(ear, 400, (number) => number % 12 < 6);
    expect(ear.hears).toBe(true);
  });

  it('misses nothing that was not sent: the other end stood still', () => {
    const ear = new Ear();
    const sent = run(ear, 20);
    for (let n = 0; n < 1_000; n += 1) ear.look();
    run(ear, 20, undefined, sent);
    expect(ear.hears).toBe(true);
  });

  it('waits for what is still on its way when it has stood still itself: words come before probes then', () => {
    const ear = new Ear();
    const sent = run(ear, 20);
    ear.told(sent + 1_000);
    ear.look();
    ear.look();
    for (let number = sent + 1; number <= sent + 1_000; number += 1) ear.probe(number);
    run(ear, 20, undefined, sent + 1_000);
    expect(ear.hears).toBe(true);
  });

  it('takes media packets for probes, but does not trust them alone after it heard nothing', () => {
    const ear = new Ear();
    const sent = run(ear, 20);
    for (let number = sent + 1; number <= sent + 100; number += 1) {
      ear.told(number);
      if (number % 4 === 0) ear.media();
      ear.look();
    }
    expect(ear.hears).toBe(true);
    const silent = run(ear, 2 * LOST_IN_A_ROW, nothing, sent + 100);
    ear.media();
    expect(ear.hears).toBe(false);
    run(ear, 10, undefined, silent);
    expect(ear.hears).toBe(true);
  });

  it('counts from the beginning with whoever begins anew, and does not forget that it did not hear', () => {
    const ear = new Ear();
    run(ear, 3 * LOST_IN_A_ROW, nothing);
    expect(ear.hears).toBe(false);
    ear.begin();
    expect(ear.hears).toBe(false);
    const few = run(ear, 5);
    expect(ear.hears).toBe(false);
    run(ear, 5, undefined, few);
    expect(ear.hears).toBe(true);
  });
});
