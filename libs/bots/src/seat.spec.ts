import { describe, expect, it } from 'vitest';
import { webSocketUrl } from './seat.js';

describe('the address of a site', () => {
  it.each([
    ['http://127.0.0.11:7100', 'ws://127.0.0.11:7100/ws'],
    ['https://meet.example/', 'wss://meet.example/ws'],
    ['ws://127.0.0.11:7100/ws', 'ws://127.0.0.11:7100/ws'],
    ['https://meet.example/somewhere/ws', 'wss://meet.example/somewhere/ws'],
  ])('%s is called at %s', (address, called) => expect(webSocketUrl(address)).toBe(called));

  it.each(['', '127.0.0.11:7100', 'ftp://meet.example', 'nonsense'])('that is none is refused with an example: “%s”', (address) => {
    expect(() => webSocketUrl(address)).toThrow('It looks like http://127.0.0.11:7100');
  });
});
