/** The test server as a process of its own, so that a spec can kill it: `server-process.ts FILE PORT`. Says where it is, then serves. */
import { startEsdbServer } from './esdb-server.ts';

const [, , file, port] = process.argv;
const { connectionString } = await startEsdbServer(file!, Number(port));
process.stdout.write(`${connectionString}\n`);
