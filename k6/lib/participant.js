// One participant as k6 plays one: the signalling of a browser (libs/protocol, client-gateway.ts) without its media.
import { WebSocket } from 'k6/websockets';

const PROTOCOL_VERSION = 1;
let made = 0;

/** The gateway-routers to connect to, from SITES: `ws://127.0.0.11:7100/ws,ws://127.0.0.12:7200/ws`. */
export const sites = () => {
  const urls = (__ENV.SITES ?? '').split(',').filter(Boolean);
  if (urls.length === 0)
    throw new Error('SITES is not set. It takes the gateway-routers, as ws://127.0.0.11:7100/ws,ws://127.0.0.12:7200/ws.');
  return urls;
};

export const alias = () => __ENV.ALIAS || 'demo';

/**
 * Connects and joins. The handlers are told of what happens to this participant: `joined({ leg, view })`, `view(view)`,
 * `ended(reason)`, `failed(why)`. Nothing is called after `closed`.
 */
export class Participant {
  constructor(url, { name, handlers = {} }) {
    this.name = name;
    this.handlers = handlers;
    this.site = undefined;
    this.leg = undefined;
    this.lastView = undefined;
    this.lastId = 0;
    this.leaving = false;
    this.beganAt = Date.now();
    this.socket = new WebSocket(url);
    this.socket.onmessage = ({ data }) => this.hear(JSON.parse(data));
    this.socket.onerror = ({ error }) => this.fail(`the connection failed: ${error}`);
    this.socket.onclose = () => {
      if (this.leg === undefined) this.fail('the connection was closed before the seat was given');
      else if (!this.leaving) this.tell('ended', 'connection lost');
      this.tell('closed');
    };
  }

  get joined() {
    return this.leg !== undefined;
  }

  leave() {
    this.leaving = true;
    this.send({ type: 'leave' });
  }

  close() {
    this.leaving = true;
    this.socket.close();
  }

  send(message) {
    this.socket.send(JSON.stringify({ v: PROTOCOL_VERSION, id: ++this.lastId, ...message }));
  }

  hear(message) {
    switch (message.type) {
      case 'welcome':
        this.site = message.site;
        // The same person never twice: a second connection of one would take the seat of the first.
        return this.send({
          type: 'join',
          alias: alias(),
          name: this.name,
          client: `k6-${__VU}-${++made}-${this.beganAt}`,
          connect: 1,
          muted: true,
          cameraOff: true,
        });
      case 'joined':
        this.leg = message.leg;
        this.lastView = message.view;
        return this.tell('joined', { leg: message.leg, view: message.view });
      case 'view':
        this.lastView = message.view;
        return this.tell('view', message.view);
      case 'refused':
        return this.fail(`${message.code}: ${message.message}`);
      case 'pin-needed':
        return this.fail('the room asks for a PIN; these scenarios need one without');
      case 'ended':
        if (!this.leaving) this.tell('ended', message.reason);
        return undefined;
      default:
        // `ok`, `notice`, `media`: nothing that a participant without media has to act on.
        return undefined;
    }
  }

  fail(why) {
    if (this.leaving) return;
    this.leaving = true;
    this.tell('failed', why);
    this.socket.close();
  }

  tell(what, ...about) {
    this.handlers[what]?.(...about);
  }
}

/** Everybody whom a view shows in reach, as one comparable text. */
export const rosterOf = (view) =>
  (view?.roster ?? [])
    .filter(({ inReach }) => inReach)
    .map(({ leg }) => leg)
    .sort()
    .join(' ');
