/** `node tools/kafka/patch.mjs`: corrects kafkajs' timer in node_modules, for whoever installs packages without `npm start` or `npm test`. */
import { runTool } from '../lib/problem.mjs';
import { patchKafkajs } from './patch-kafkajs.mjs';

await runTool(async () => patchKafkajs());
