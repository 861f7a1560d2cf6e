/** Whatever has to be closed again. */
export interface Closable {
  close(): unknown;
}

/**
 * What has been started, so that it can be ended in the opposite order: when we stop, or when something in the middle of
 * starting fails. Quiet when closed twice.
 */
export class PartsList {
  private readonly parts: Closable[] = [];

  add<T extends Closable>(part: T): T {
    this.parts.push(part);
    return part;
  }

  /** Everything is ended, even when ending one of them fails; the first failure is thrown then. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let part = this.parts.pop(); part; part = this.parts.pop()) {
      await Promise.resolve(part.close()).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** Starts several things as one: all of them, or none. */
export const startAll = async <T>(start: (parts: PartsList) => Promise<T>): Promise<T & { close(): Promise<void> }> => {
  const parts = new PartsList();
  try {
    const started = await start(parts);
    return { ...started, close: () => parts.close() };
  } catch (error) {
    await parts.close().catch(() => undefined);
    throw error;
  }
};
