export { BusServer } from './bus-server.js';
export { readConfig, redactedConfig, setting, settingRows, type SettingMeta, type SettingRow } from './config.js';
export {
  acceptJsonSockets,
  CLOSE,
  type Conversation,
  type JsonSocket,
  type JsonSocketOptions,
  type JsonSocketServer,
  type Refused,
} from './json-socket.js';
export { logOf, makeLog, nestLog, type Log } from './log.js';
export { runMain } from './main.js';
export { ProblemFilter, problemOf, type Problem } from './problem.js';
export { isSecretName, redact } from './redact.js';
export {
  BODY_BYTES_MAX,
  busCheck,
  startService,
  type Check,
  type Listen,
  type RunningService,
  type ServiceOptions,
  type Verdict,
} from './service.js';
export { parseStrictJson, type JsonRefusal } from './strict-json.js';
export {
  currentService,
  currentTraceparent,
  inService,
  inSpan,
  inStep,
  isTraced,
  spanBetween,
  toldSpan,
  underTraceparent,
  untraced,
  type SpanOptions,
} from './trace.js';
export { tokenBucket } from './token-bucket.js';
export { tracedBus } from './traced-bus.js';
export { originRefusal, routeUpgrades, type Origins } from './upgrade.js';
