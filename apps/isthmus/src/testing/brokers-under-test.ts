import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** Brokers, one for each site: with them, the same specs run against services that are processes of their own (suite `apart`). */
const BROKERS = 'ISTHMUS_TEST_BROKERS';
/** A UNIX socket: whoever started the brokers kills them, and starts them again, for a spec (tools/test/brokers.mjs). */
const CONTROL = 'ISTHMUS_TEST_BROKERS_CONTROL';

/** @returns `host:port` of a broker for each of so many sites; undefined where a site is one process, as in the suite `e2e` */
export const brokersUnderTest = (sites: number): readonly string[] | undefined => process.env[BROKERS]?.split(',').slice(0, sites);

/**
 * `kill` is as a power cut would; `fill` has it find its disk full, and resolves when it has stopped; `start` is with the records that it
 * had, and with space, and resolves when a group can be joined.
 * @param broker its place in the list, from 0
 * @throws Error with what went wrong there
 */
export const tellBroker = async (what: 'kill' | 'start' | 'fill', broker: number): Promise<void> => {
  const path = process.env[CONTROL];
  if (path === undefined) throw new Error('nobody started brokers for this spec: run it by `npm test -- --only apart`');
  const socket = connect(path);
  try {
    socket.write(`${JSON.stringify({ id: 1, what, broker })}\n`);
    const [line] = (await once(createInterface(socket), 'line')) as [string];
    const { error } = JSON.parse(line) as { readonly error?: string };
    if (error !== undefined) throw new Error(error);
  } finally {
    socket.destroy();
  }
};
