/** Log and spans alone, for application classes that nobody serves: importing this loads no web framework. */
export { logOf, type Log } from './log.js';
export { inStep } from './trace.js';
