import { ErrorType, FORWARDS, NO_STREAM, START, jsonEvent } from '@eventstore/db-client';
import type { WriterId } from '@isthmus/kernel';
import type { Connection } from './connection.js';
import { kindOf } from './failures.js';

type Said = 'Claimed' | 'Settled';

/** So many of the last claims of a subject are kept by the server. */
const KEPT = 64;

/** Who said that they decide for a subject, in the server's order: one stream per subject, always against an exact revision. */
export class Claims {
  /** @param prefix what our own streams begin with */
  constructor(
    private readonly connection: Connection,
    private readonly prefix: string,
  ) {}

  /** @returns whoever claimed since the last settled claim, and who made that one */
  async claim(subject: string, writer: WriterId): Promise<readonly WriterId[]> {
    for (;;) {
      const { revision, before } = await this.connection.call(() => this.read(subject));
      try {
        await this.connection.call(() => this.write(subject, 'Claimed', writer, revision));
        if (revision < 0n)
          await this.connection.call(() => this.connection.client.setStreamMetadata(this.stream(subject), { maxCount: KEPT }));
        return [...new Set(before)].filter((other) => other !== writer);
      } catch (error) {
        // Somebody else claimed it at the same time, and is before us.
        if (kindOf(error) !== ErrorType.WRONG_EXPECTED_VERSION) throw error;
      }
    }
  }

  /** Nothing to do if somebody has claimed it meanwhile: then it is theirs to settle. */
  async settle(subject: string, writer: WriterId): Promise<void> {
    const { revision, before } = await this.connection.call(() => this.read(subject));
    if (before.at(-1) !== writer) return;
    try {
      await this.connection.call(() => this.write(subject, 'Settled', writer, revision));
    } catch (error) {
      if (kindOf(error) !== ErrorType.WRONG_EXPECTED_VERSION) throw error;
    }
  }

  private write(subject: string, type: Said, writer: WriterId, revision: bigint): Promise<unknown> {
    const expectedRevision = revision < 0n ? NO_STREAM : revision;
    return this.connection.client.appendToStream(this.stream(subject), jsonEvent({ type, data: { writer } }), { expectedRevision });
  }

  private async read(subject: string): Promise<{ readonly revision: bigint; readonly before: readonly WriterId[] }> {
    const events = this.connection.client.readStream(this.stream(subject), { direction: FORWARDS, fromRevision: START });
    events.on('error', () => undefined);
    let revision = -1n;
    let before: WriterId[] = [];
    try {
      for await (const { event } of events) {
        if (!event) continue;
        revision = event.revision;
        const { writer } = event.data as { writer: WriterId };
        if ((event.type as Said) === 'Settled') before = [];
        before.push(writer);
      }
    } catch (error) {
      if (kindOf(error) !== ErrorType.STREAM_NOT_FOUND) throw error;
    }
    return { revision, before };
  }

  /** Without `-`, so that it belongs to no category. */
  private stream(subject: string): string {
    return `${this.prefix}claims:${subject.replaceAll('_', '__').replaceAll('-', '_d')}`;
  }
}
