export { kafkaBus, type KafkaBus, type KafkaBusOptions } from './kafka-bus.js';
export type { KafkaAccess } from './access.js';
export type { TopicPlan } from './topics.js';
