import { describe, expect, it } from 'vitest';
import { gatewayOfWay } from './client-gateway.js';

describe('the way to another site', () => {
  it.each([
    ['https://meet.lon.example/', 'wss://meet.nyc.example/ws', 'wss://meet.lon.example/ws'],
    ['https://meet.lon.example:7100', 'ws://127.0.0.11:7100/ws', 'wss://meet.lon.example:7100/ws'],
    ['http://127.0.0.12:7100', 'ws://127.0.0.11:7100/ws', 'ws://127.0.0.12:7100/ws'],
    ['http://127.0.0.12:7100', 'http://127.0.0.11:7100', 'ws://127.0.0.12:7100/ws'],
  ])('%s, for somebody who came by %s, is %s', (url, here, way) => expect(gatewayOfWay({ url }, here)).toBe(way));

  it.each([
    ['http://meet.lon.example', 'wss://meet.nyc.example/ws'],
    ['http://meet.lon.example', 'https://meet.nyc.example'],
    ['ftp://meet.lon.example', 'ws://127.0.0.11:7100/ws'],
    ['meet.lon.example', 'ws://127.0.0.11:7100/ws'],
    ['http://meet.lon.example', 'nonsense'],
  ])('%s is none for somebody who came by %s', (url, here) => expect(gatewayOfWay({ url }, here)).toBeUndefined());
});
