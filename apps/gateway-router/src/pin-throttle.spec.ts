import { describe, expect, it } from 'vitest';
import { PIN_LIMITS, PinThrottle } from './pin-throttle.js';

const MINUTE = 60_000;

const throttleAt = (limits = {}) => {
  let monotonic = 1_000_000;
  const throttle = new PinThrottle({ now: () => 0, monotonic: () => monotonic }, { ...PIN_LIMITS, ...limits });
  let source = 0;
  return {
    throttle,
    pass: (ms: number) => void (monotonic += ms),
    /** So many wrong PINs for a room, each from an address of its own; answers how many were looked at. */
    wrong: (room: string, times: number) =>
      Array.from({ length: times }, () => throttle.attempt(room, `198.51.${++source >> 8}.${source & 255}`)).filter(
        ({ blocked }) => !blocked,
      ).length,
  };
};

describe('guessing PINs', () => {
  it('blocks a room after more than 20 wrong ones, from wherever they came', () => {
    const { throttle, wrong } = throttleAt();
    expect(wrong('board', 20)).toBe(20);
    expect(throttle.isRoomBlocked('board')).toBe(false);
    expect(wrong('board', 100)).toBe(1);
    expect(throttle.isRoomBlocked('board')).toBe(true);
    expect(throttle.attempt('other', '192.0.2.1').blocked).toBe(false);
  });

  it('opens the room again ten minutes later, however hard they kept trying', () => {
    const { throttle, wrong, pass } = throttleAt();
    wrong('board', 30);
    for (let minute = 0; minute < 9; minute++) {
      pass(MINUTE);
      expect(wrong('board', 100)).toBe(0);
    }
    pass(MINUTE);
    expect(throttle.attempt('board', '192.0.2.1').blocked).toBe(false);
  });

  it('forgets wrong PINs that are ten minutes old', () => {
    const { wrong, pass } = throttleAt();
    for (let round = 0; round < 5; round++) {
      expect(wrong('board', 15)).toBe(15);
      pass(10 * MINUTE);
    }
  });

  it('does not count right ones', () => {
    const { throttle } = throttleAt();
    for (let i = 0; i < 500; i++) {
      const attempt = throttle.attempt('board', '192.0.2.1');
      expect(attempt.blocked).toBe(false);
      attempt.right();
    }
  });

  it('counts a try from its beginning: a thousand at once are a thousand', () => {
    const { throttle } = throttleAt();
    const attempts = Array.from({ length: 1_000 }, (_, at) => throttle.attempt('board', `192.0.2.${at % 250}`));
    expect(attempts.filter(({ blocked }) => !blocked)).toHaveLength(21);
  });

  it('blocks an address that tries many rooms, an IPv6 customer by the /64', () => {
    const { throttle } = throttleAt({ perAddress: 3 });
    for (let i = 0; i < 4; i++) expect(throttle.attempt(`room-${i}`, `2001:db8:0:7::${i + 1}`).blocked).toBe(false);
    expect(throttle.attempt('room-9', '2001:db8:0:7:ffff::1').blocked).toBe(true);
    expect(throttle.attempt('room-9', '2001:db8:0:8::1').blocked).toBe(false);
  });

  it('finds nobody in 10,000 guesses from 1,000 sources more than a few dozen tries', () => {
    const { throttle, pass } = throttleAt();
    let looked = 0;
    for (let guess = 0; guess < 10_000; guess++) {
      pass(60);
      if (!throttle.attempt('board', `10.0.${(guess % 1_000) >> 8}.${guess & 255}`).blocked) looked++;
    }
    // Ten minutes of guessing at full speed: 21 tries in a million.
    expect(looked).toBeLessThanOrEqual(42);
  });

  it('remembers a bounded number of rooms and addresses', () => {
    const { throttle } = throttleAt({ rememberedMax: 100 });
    for (let i = 0; i < 1_000; i++) throttle.attempt(`room-${i}`, `10.1.${i >> 8}.${i & 255}`);
    const { rooms, addresses } = throttle as unknown as { rooms: Map<string, unknown>; addresses: Map<string, unknown> };
    expect([rooms.size, addresses.size]).toEqual([100, 100]);
  });
});
