/**
 * Runs seeds in a process of its own: those it is given, one after the other, until one fails if it is told to stop there.
 * @typedef {{ entry: string, options: import('@isthmus/simulator').WorldOptions }} Setup
 * @typedef {{ from: number, count: number, stop: boolean }} Task
 * @typedef {{ seed: number, violations: readonly string[] }} Failure
 * @typedef {{ seeds: number, merged: number, failures: Failure[], did: [string, number][], worlds: [string, number][] }} Result
 */
const { entry, options } = /** @type {Setup} */ (JSON.parse(process.argv[2] ?? ''));
process.env['ISTHMUS_LOG_LEVEL'] ??= 'silent';
const { runSeed } = /** @type {typeof import('@isthmus/simulator')} */ (await import(entry));

// Whoever gives it seeds is gone: nobody wants to know.
process.on('disconnect', () => process.exit());
process.on('message', async (/** @type {Task} */ { from, count, stop }) => {
  /** @type {Result} */
  const result = { seeds: 0, merged: 0, failures: [], did: [], worlds: [] };
  /** @type {Map<string, number>} */
  const did = new Map();
  /** @type {Map<string, number>} */
  const worlds = new Map();
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await runSeed(seed, options);
    result.seeds += 1;
    if (outcome.merged) result.merged += 1;
    for (const [what, times] of outcome.did) {
      did.set(what, (did.get(what) ?? 0) + times);
      worlds.set(what, (worlds.get(what) ?? 0) + 1);
    }
    if (outcome.violations.length > 0) result.failures.push({ seed, violations: outcome.violations });
    if (stop && result.failures.length > 0) break;
  }
  result.did = [...did];
  result.worlds = [...worlds];
  process.send?.(result);
});
