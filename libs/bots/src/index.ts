export { Bot, startBot, type BotOptions, type StageRecord } from './bot.js';
export { cacheFolder, clipOf, HD_KBPS_DEFAULT, makeClips, type Clip, type ClipOptions } from './clips.js';
export { eventually } from './eventually.js';
export { IDENTITY_CELLS, IDENTITY_HEIGHT, identityCells, readIdentity, type Pixels } from './identity.js';
export { markOf, readMark, type Layer, type Mark } from './mark.js';
export { personaOf, PERSONAS, type Persona } from './persona.js';
export type { ReceiveMode } from './reception.js';
export type { Heard, Seen, Sight } from './sight.js';
