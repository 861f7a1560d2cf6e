/**
 * Waits for something to become true and fails with the sentences that say what still is not. `missing` answers those
 * sentences; nobody has to guess from "timeout" what a test was waiting for.
 */
const LOOK_EVERY_MS = 50;

export const eventually = async (missing: () => readonly string[] | Promise<readonly string[]>, deadlineMs: number): Promise<void> => {
  const until = performance.now() + deadlineMs;
  for (;;) {
    const still = await missing();
    if (still.length === 0) return;
    if (performance.now() >= until) throw new Error(`After ${deadlineMs} ms:\n- ${still.join('\n- ')}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
};
