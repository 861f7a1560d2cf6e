/** Finds, fetches or builds mediasoup's worker, and prints its path: for those who are not a part of our tools, as the image is. */
import { runTool } from '../lib/problem.mjs';
import { ensureWorker } from './ensure-worker.mjs';

await runTool(async () => void process.stdout.write(`${await ensureWorker()}\n`));
