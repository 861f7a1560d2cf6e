import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { readConfig, redactedConfig, setting } from './config.js';

const settings = {
  site: setting(z.string().regex(/^[a-z]+$/, 'lower-case letters only'), { says: 'Which site this is.', example: 'nyc' }),
  port: setting(z.coerce.number().int().min(1).max(65_535), { says: 'Where it listens.', example: '7100' }),
  linkHost: setting(z.string().default('127.0.0.1'), { says: 'The address for other sites.', example: '192.0.2.1' }),
  token: setting(z.string().min(8).optional(), { says: 'Shared with management.', example: '(32 random characters)', secret: true }),
};

const messageOf = (environment: Record<string, string>): string => {
  try {
    readConfig('media-node', settings, environment);
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('settings from the environment', () => {
  it('are read by service and name, with their defaults', () => {
    expect(
      readConfig('media-node', settings, {
        ISTHMUS_MEDIA_NODE_SITE: 'nyc',
        ISTHMUS_MEDIA_NODE_PORT: '7110',
        ISTHMUS_REGISTRAR_SITE: 'lon',
      }),
    ).toEqual({ site: 'nyc', port: 7110, linkHost: '127.0.0.1' });
  });

  it('are refused with every fault in one message, each with an example', () => {
    const message = messageOf({ ISTHMUS_MEDIA_NODE_PORT: 'many', ISTHMUS_MEDIA_NODE_LINK_HOTS: '::1', ISTHMUS_MEDIA_NODE_TOKEN: 'short' });
    expect(message).toContain('media-node cannot start: 4 settings are wrong.');
    expect(message).toContain('ISTHMUS_MEDIA_NODE_SITE is missing. Which site this is. Example: ISTHMUS_MEDIA_NODE_SITE=nyc');
    expect(message).toContain("ISTHMUS_MEDIA_NODE_PORT is 'many'");
    expect(message).toContain('ISTHMUS_MEDIA_NODE_LINK_HOTS is not a setting. Did you mean ISTHMUS_MEDIA_NODE_LINK_HOST?');
    expect(message).toContain('ISTHMUS_MEDIA_NODE_TOKEN is not right');
    expect(message).not.toContain('short');
  });

  it('take a secret from a file, and never show it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'isthmus-config-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'token'), 'correct horse\n');
    const config = readConfig('media-node', settings, {
      ISTHMUS_MEDIA_NODE_SITE: 'nyc',
      ISTHMUS_MEDIA_NODE_PORT: '1',
      ISTHMUS_MEDIA_NODE_TOKEN_FILE: join(folder, 'token'),
    });
    expect(config.token).toBe('correct horse');
    expect(JSON.stringify(redactedConfig(settings, config))).not.toContain('horse');
  });

  it('say which secret file cannot be read', () => {
    expect(
      messageOf({ ISTHMUS_MEDIA_NODE_SITE: 'nyc', ISTHMUS_MEDIA_NODE_PORT: '1', ISTHMUS_MEDIA_NODE_TOKEN_FILE: '/nowhere/token' }),
    ).toContain('ISTHMUS_MEDIA_NODE_TOKEN_FILE names /nowhere/token, which cannot be read (ENOENT)');
  });
});
