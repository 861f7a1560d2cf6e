import { meetLink, type Estate, type Room } from '@isthmus/estate';

/** Every way into a room that people can be told: a link per site and alias, the alias that reads best first. */
export const waysToJoin = (room: Room, estate: Estate) => ({
  room: room.id,
  aliases: room.aliases,
  hostPinSet: room.hostPinHash !== null,
  guestPinSet: room.guestPinHash !== null,
  links: Object.values(estate.sites)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((site) => room.aliases.map((alias) => ({ site: site.id, siteName: site.name, alias, url: meetLink(site, alias) }))),
});
