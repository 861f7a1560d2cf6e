/**
 * `npm start`: from a bare checkout to a running demo of three sites. Runs under any Node from 20 on and needs no package; what
 * it hands over to runs under the Node 24 that it brought. Arguments go to `isthmus demo`.
 */
import { bootstrap } from '../lib/bootstrap.mjs';
import { runIsthmus } from '../lib/isthmus.mjs';
import { runTool } from '../lib/problem.mjs';

await runTool(async () => {
  const { worker } = await bootstrap();
  return runIsthmus(['demo', ...process.argv.slice(2)], worker);
});
