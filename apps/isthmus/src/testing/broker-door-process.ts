/** The end of a {@link BrokerDoor} on a machine: `broker-door-process.js HOST PORT SOCKET`, until whoever started it has gone. */
import { forward } from './forward.js';

const [, , host = '', port = '', socket = ''] = process.argv;
await forward({ host, port: Number(port) }, { path: socket });
process.on('disconnect', () => process.exit(0));
process.send?.('open');
