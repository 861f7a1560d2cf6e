/**
 * `npm run bench`: runs every benchmark in turn and prints one table. Options: `--json FILE`, and parts of benchmarks' file names.
 * What a benchmark is, README.md says.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bootstrap } from '../lib/bootstrap.mjs';
import { againUnderNode24 } from '../lib/node24.mjs';
import { Problem, runTool } from '../lib/problem.mjs';
import { step } from '../lib/progress.mjs';
import { jsonOf, meetsGoal, tableOf } from './figures.mjs';

/** @typedef {import('./figures.mjs').Figure} Figure */
/** @typedef {import('./figures.mjs').Benchmark} Benchmark */

const HERE = fileURLToPath(new URL('.', import.meta.url));

await runTool(async () => {
  const { values, positionals } = parseArgs({ options: { json: { type: 'string' } }, allowPositionals: true });
  const { worker } = await bootstrap();
  const elsewhere = againUnderNode24({ MEDIASOUP_WORKER_BIN: worker });
  if (elsewhere !== undefined) return elsewhere;
  const files = readdirSync(HERE)
    .filter((file) => /\.bench\.(mjs|ts)$/.test(file))
    .filter((file) => positionals.length === 0 || positionals.some((part) => file.includes(part)))
    .sort();
  if (files.length === 0) throw new Problem('There is no such benchmark.', 'They are the *.bench.mjs and *.bench.ts files in tools/bench.');
  /** @type {Figure[]} */
  const figures = [];
  let failed = 0;
  for (const file of files) {
    try {
      figures.push(...(await measure(file, worker)));
    } catch (error) {
      failed += 1;
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    }
  }
  process.stdout.write(`\n${tableOf(figures)}\n`);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(jsonOf(figures), null, 2)}\n`);
  return failed > 0 || figures.some((figure) => meetsGoal(figure) === false) ? 1 : 0;
});

/** @param {string} file @param {string} worker @returns {Promise<readonly Figure[]>} */
async function measure(file, worker) {
  /** @type {Benchmark} */
  const { title, seconds, run } = await import(pathToFileURL(join(HERE, file)).href);
  return step(`${title} (about ${seconds} s)`, (note) => run({ worker, note }));
}
