import { describe, expect, it } from 'vitest';
import { makeLog } from './log.js';
import { isSecretName } from './redact.js';

const lines = (): { log: ReturnType<typeof makeLog>; written: string[] } => {
  const written: string[] = [];
  return { log: makeLog({ write: (line) => written.push(line) }), written };
};

describe('the log', () => {
  it('is one JSON object per line, with level, time and text', () => {
    const { log, written } = lines();
    log.child({ service: 'registrar' }).warn({ room: 'standup' }, 'no such room');
    expect(JSON.parse(written[0] ?? '')).toMatchObject({ level: 'warn', service: 'registrar', room: 'standup', msg: 'no such room' });
  });

  it('writes no secret, however deep it hides', () => {
    const { log, written } = lines();
    const canary = 'canary-4711';
    log.warn(
      {
        join: { pin: canary, media: [{ token: canary }] },
        hostPinHash: canary,
        srtpParameters: { keyBase64: canary },
        privateKey: canary,
        authorization: canary,
        resume: canary,
      },
      'odd',
    );
    log.warn({ error: Object.assign(new Error('no'), { cause: { password: canary } }) }, 'failed');
    expect(written.join('')).not.toContain(canary);
    expect(written.join('')).toContain('[redacted]');
  });

  it('survives what cannot be written: a cycle, a big integer, an object without end', () => {
    const { log, written } = lines();
    const cycle: Record<string, unknown> = { name: 'loop', count: 12n };
    cycle['self'] = cycle;
    log.warn({ cycle }, 'round and round');
    expect(written[0]).toContain('[deeper]');
  });

  it.each([
    'pin',
    'hostPin',
    'guest_pin_hash',
    'token',
    'tokenHash',
    'PASSWORD',
    'keyBase64',
    'signingKey',
    'srtpParameters',
    'dtlsParameters',
    'cookie',
  ])('calls %s secret', (name) => expect(isSecretName(name)).toBe(true));
  it.each(['key', 'keyFile', 'spin', 'opinion', 'room', 'traceparent', 'pinned'])('does not call %s secret', (name) =>
    expect(isSecretName(name)).toBe(false),
  );
});
