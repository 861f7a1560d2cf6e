import type { TransportOffer } from '@isthmus/protocol';

/** Where a media node takes sound and pictures: what a firewall would have to let through. */
export interface Door {
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
}

/** @returns the node's ICE candidates (RFC 8445) as places, each once; none for what has no such shape */
export const doorsOf = (offer: TransportOffer): readonly Door[] => {
  const doors = new Map<string, Door>();
  for (const candidate of offer.iceCandidates as readonly { address?: unknown; ip?: unknown; port?: unknown; protocol?: unknown }[]) {
    const [address, port, protocol] = [candidate.address ?? candidate.ip, candidate.port, candidate.protocol];
    if (typeof address !== 'string' || typeof port !== 'number' || typeof protocol !== 'string') continue;
    doors.set(`${address} ${port} ${protocol}`, { address, port, protocol });
  }
  return [...doors.values()];
};

/** 127.0.0.0/8 and ::1 (RFC 6890). */
export const isLoopback = ({ address }: Door): boolean => address.startsWith('127.') || address === '::1';

/** Firefox gathers no loopback candidate and pairs no other one with a loopback address, so no media flow over one. */
export const shunsLoopback = (userAgent: string): boolean => userAgent.includes('Firefox/');
