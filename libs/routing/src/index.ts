export { readings, roomMeant } from './alias.js';
