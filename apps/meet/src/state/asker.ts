import type { PersonId } from '@isthmus/conference';
import type { GatewayRequest } from '../net/gateway-connection.js';
import { clientIdOf, nextConnect, type Keep } from '../net/identity.js';
import type { LocalMedia } from './local-media.js';
import type { MeetingState } from './meeting-state.js';
import type { Store } from './store.js';

/** Puts into words what a seat is asked for with: who asks, and what they have switched off. */
export class Asker {
  readonly #client: Promise<PersonId>;

  constructor(
    private readonly keep: Keep,
    tab: Keep,
    private readonly store: Store<MeetingState>,
    private readonly local: LocalMedia,
  ) {
    this.#client = clientIdOf(keep, tab);
  }

  async join(pin: string | undefined): Promise<Extract<GatewayRequest, { type: 'join' }>> {
    const { alias, name } = this.store.get();
    const { microphone, camera } = this.local.store.get();
    return {
      type: 'join',
      alias,
      name,
      client: await this.#client,
      connect: nextConnect(this.keep),
      muted: !(microphone.on && microphone.track !== null),
      cameraOff: !(camera.on && camera.track !== null),
      ...(pin === undefined ? {} : { pin }),
    };
  }
}
