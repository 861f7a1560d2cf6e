import type { LegId, Stage } from '@isthmus/conference';
import { siteOfLeg } from '@isthmus/conference';
import type { Bot } from '@isthmus/bots';
import type { RelayClient } from '../relay/relay-client.js';

/** What one directed link must carry by the layout rule, and what it carried by the relay's count. */
export interface CrossingSeen {
  readonly large: number;
  readonly small: number;
  /** RTP header and payload of the streams that must cross, as their publishers sent them in the window. */
  readonly ruleBytes: number;
  /** The same, as the relay counted on the link. */
  readonly seenBytes: number;
  readonly audioBytes: number;
  readonly rtcpBytes: number;
  /** HD-units: one is what the current speaker's large layer took in the window. */
  readonly units: number;
}

/**
 * mediasoup's worker gives every video packet that it forwards a block of RTP header extensions (RFC 8285), used at the far
 * end or not. It is header, so it counts; publishers' own packets have none.
 */
const FORWARDED_HEADER_BYTES = 16;

/** Which layers of whom must cross, from what everybody's stage is. */
const needed = (stages: ReadonlyMap<LegId, Stage>, from: string, to: string) => {
  const viewers = [...stages].filter(([leg]) => siteOfLeg(leg) === to).map(([, stage]) => stage);
  const there = (leg: LegId | null): leg is LegId => leg !== null && siteOfLeg(leg) === from;
  return {
    large: [...new Set(viewers.map(({ main }) => main))].filter(there),
    small: [...new Set(viewers.flatMap(({ thumbnails }) => thumbnails))].filter(there),
  };
};

/**
 * Watches a meeting whose stages stand still for `ms`: what crossed each directed link by the relay, against what the rule
 * says must cross, by the publishers' own count of those layers. Keyed `nyc>lon`.
 */
export const watchCrossings = async (
  bots: readonly Bot[],
  relay: RelayClient,
  speaker: Bot,
  ms: number,
): Promise<ReadonlyMap<string, CrossingSeen>> => {
  const stages = new Map(bots.map((bot) => [bot.leg, bot.view.stage]));
  const onTheWire = ({ octets, packets }: Bot['sent']['large']) => octets + packets * FORWARDED_HEADER_BYTES;
  const octets = () => new Map(bots.map(({ leg, sent }) => [leg, { large: onTheWire(sent.large), small: onTheWire(sent.small) }]));
  const before = octets();
  await relay.reset();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const { links } = await relay.stats();
  const after = octets();
  const sent = (leg: LegId, layer: 'large' | 'small') => after.get(leg)![layer] - before.get(leg)![layer];
  return new Map(
    links.map(({ from, to, kinds }) => {
      const { large, small } = needed(stages, from, to);
      const ruleBytes = large.reduce((sum, leg) => sum + sent(leg, 'large'), 0) + small.reduce((sum, leg) => sum + sent(leg, 'small'), 0);
      const seenBytes = kinds.video.rtpBytes;
      return [
        `${from}>${to}`,
        {
          large: large.length,
          small: small.length,
          ruleBytes,
          seenBytes,
          audioBytes: kinds.audio.rtpBytes,
          rtcpBytes: kinds.rtcp.bytes,
          units: seenBytes / sent(speaker.leg, 'large'),
        },
      ];
    }),
  );
};
