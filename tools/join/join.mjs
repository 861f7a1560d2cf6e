/**
 * `npm run join -- TOKEN`: from a bare checkout to a site, or a media node of one, that is part of a deployment elsewhere. Brings
 * what is needed as `npm start` does. Arguments go to `isthmus join`.
 */
import { bootstrap } from '../lib/bootstrap.mjs';
import { runIsthmus } from '../lib/isthmus.mjs';
import { runTool } from '../lib/problem.mjs';

await runTool(async () => {
  const { worker } = await bootstrap();
  return runIsthmus(['join', ...process.argv.slice(2)], worker);
});
