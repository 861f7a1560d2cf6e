import { expect, test } from 'vitest';
import { clusterId } from './broker.mjs';

test('the name of a cluster is sixteen bytes, another each time, and never looks like an option', () => {
  const ids = Array.from({ length: 1_000 }, clusterId);
  expect(new Set(ids).size).toBe(1_000);
  for (const id of ids) {
    expect(id).toMatch(/^\w[\w-]{21}$/);
    expect(Buffer.from(id, 'base64url')).toHaveLength(16);
  }
});
