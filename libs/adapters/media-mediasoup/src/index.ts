export { AUDIO_LEVEL_URI, PAYLOAD_TYPES } from './codecs.js';
export type { ClientTransport } from './client-transport.js';
export { startEngine, type EngineOptions, type MediaEngine, type MediaRoom } from './engine.js';
export type { MediaFault, MediaRefusal } from './errors.js';
export type { Feed } from './feed.js';
export { joinedParameters, type PipeBytes, type PipeEnd, type PipeTransport } from './pipe-transport.js';
export type { Layer, Stream } from './stream.js';
export { AUDIBLE_AT, type Dbov, type Ear, type Loudness, type VoiceHandlers, type VoiceObserver } from './voices.js';
