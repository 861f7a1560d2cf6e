export { damped, NEVER_HEARD, type Damping } from './damping.js';
export { hears, isUp, linksUpText, merged, newerThan, type Hearing, type KnownStates, type LinkStates } from './link-states.js';
export { flowsOf, fullMesh, networkOf, type Flow, type Network } from './network.js';
