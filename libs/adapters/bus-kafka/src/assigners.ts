import { AssignerProtocol, type Cluster, type GroupMember, type PartitionAssigner } from 'kafkajs';

const { MemberAssignment, MemberMetadata } = AssignerProtocol;

const protocolOf =
  (name: string) =>
  ({ topics }: { topics: string[] }) => ({
    name,
    metadata: MemberMetadata.encode({ version: 1, topics, userData: Buffer.alloc(0) }),
  });

const encoded = (memberId: string, assignment: Record<string, number[]>) => ({
  memberId,
  memberAssignment: MemberAssignment.encode({ version: 1, assignment, userData: Buffer.alloc(0) }),
});

/**
 * Shares each topic among those members of a group that subscribed to it, so that a newer version of a service may listen to one
 * topic more while the older ones still run. kafkajs' own gives every topic of the leader to everybody.
 */
export const sharing: PartitionAssigner = ({ cluster }: { cluster: Cluster }) => ({
  name: 'isthmus-sharing',
  version: 1,
  assign: async ({ members }: { members: GroupMember[] }) => {
    const wanted = members
      .map(({ memberId, memberMetadata }) => ({ memberId, topics: MemberMetadata.decode(memberMetadata)?.topics ?? [] }))
      .sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
    const topics = [...new Set(wanted.flatMap((member) => member.topics))].sort();
    await cluster.addMultipleTargetTopics(topics);
    const given = new Map<string, Record<string, number[]>>(wanted.map(({ memberId }) => [memberId, {}]));
    for (const topic of topics) {
      const takers = wanted.filter((member) => member.topics.includes(topic));
      const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
      partitions
        .sort((a, b) => a - b)
        .forEach((partition, at) => {
          const mine = given.get(takers[at % takers.length]!.memberId)!;
          (mine[topic] ??= []).push(partition);
        });
    }
    return [...given].map(([memberId, assignment]) => encoded(memberId, assignment));
  },
  protocol: protocolOf('isthmus-sharing'),
});

/** Gives the only member of a group one partition: where it asked answers to be sent. */
export const only =
  (topic: string, partition: number): PartitionAssigner =>
  () => ({
    name: 'isthmus-only',
    version: 1,
    assign: async ({ members }: { members: GroupMember[] }) => members.map(({ memberId }) => encoded(memberId, { [topic]: [partition] })),
    protocol: protocolOf('isthmus-only'),
  });
