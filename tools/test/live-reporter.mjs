/**
 * Vitest's side of the runner's live line: one marked line for every spec file that ends. The counts come from Vitest's own
 * JSON report; this is only for whoever watches.
 */
export const MARK = '::live ';

export default class LiveReporter {
  /** @param {import('vitest/node').TestModule} module */
  onTestModuleEnd(module) {
    const tests = [...module.children.allTests()];
    const count = (/** @type {string} */ state) => tests.filter((test) => test.result().state === state).length;
    const said = {
      file: module.relativeModuleId,
      ok: module.ok(),
      passed: count('passed'),
      failed: count('failed'),
      skipped: count('skipped'),
      ms: Math.round(module.diagnostic().duration),
    };
    process.stdout.write(`\n${MARK}${JSON.stringify(said)}\n`);
  }
}
