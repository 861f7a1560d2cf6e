export { emptyEstate, type Estate, type Room, type Site } from './estate.js';
