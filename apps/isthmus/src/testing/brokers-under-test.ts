/** Brokers, one for each site: with them, the same specs run against services that are processes of their own (suite `apart`). */
const BROKERS = 'ISTHMUS_TEST_BROKERS';

/** @returns `host:port` of a broker for each of so many sites; undefined where a site is one process, as in the suite `e2e` */
export const brokersUnderTest = (sites: number): readonly string[] | undefined => process.env[BROKERS]?.split(',').slice(0, sites);
