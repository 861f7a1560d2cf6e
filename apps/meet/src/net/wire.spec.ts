import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readGatewayMessage, readMediaMessage } from './wire.js';

describe('what servers may say', () => {
  it('is read when it fits', () => {
    expect(readGatewayMessage('{"type":"ok","re":3}')).toEqual({ type: 'ok', re: 3 });
    expect(readMediaMessage('{"type":"layers","large":true,"small":false}')).toEqual({ type: 'layers', large: true, small: false });
  });

  it('may carry fields that this version does not know', () => {
    expect(readGatewayMessage('{"type":"waiting","re":1,"reason":"host","since":4}')).toMatchObject({ type: 'waiting', reason: 'host' });
  });

  it('keeps the words of a notice whose other part it does not know, and knows how to move', () => {
    const move = { v: 1, afterMs: 10, ways: [{ site: 'lon', name: 'London', url: 'https://meet.lon.example' }] };
    const said = (about: object) => readGatewayMessage(JSON.stringify({ type: 'notice', code: 'c', message: 'm', move: about }));
    expect(said(move)).toEqual({ type: 'notice', code: 'c', message: 'm', move });
    for (const odd of [
      { ...move, v: 2 },
      { ...move, ways: [] },
      { ...move, ways: [{ ...move.ways[0], url: 'javascript:alert(1)' }] },
    ])
      expect(said(odd)).toEqual({ type: 'notice', code: 'c', message: 'm' });
  });

  it('is dropped when the type is new, the shape is wrong or the frame is not text', () => {
    expect(readGatewayMessage('{"type":"confetti"}')).toBeNull();
    expect(readGatewayMessage('{"type":"ended","reason":"boredom","message":""}')).toBeNull();
    expect(readGatewayMessage('{"type":"view","view":{}}')).toBeNull();
    expect(readGatewayMessage('{')).toBeNull();
    expect(readGatewayMessage(new ArrayBuffer(4))).toBeNull();
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        readGatewayMessage(text);
        readMediaMessage(text);
      }),
    );
  });
});
