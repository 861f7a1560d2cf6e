import grpc from '@grpc/grpc-js';
import type * as Shared from '@eventstore/db-client/generated/shared_pb.js';
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import featuresService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import status from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import anyPb from 'google-protobuf/google/protobuf/any_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import { RecordLog, type Expected, type Proposed, type Recorded } from './record-log.ts';

export interface EsdbServer {
  /** `esdb://127.0.0.1:…?tls=false` */
  readonly connectionString: string;
  close(): Promise<void>;
}

/** The server's own default of --max-append-size. */
const APPEND_BYTES = 1024 * 1024;
const SERVICE = 'event_store.client.streams.streams';
const METHODS = ['append', 'batchappend', 'read'];

/**
 * Speaks as much of EventStoreDB's gRPC as the adapter uses, on the message classes that the client itself was generated from:
 * append and batch append with exact expected revisions and repetitions, streams and everything both ways, subscriptions to
 * everything by a prefix of stream names. It proves how we use the client; what the real server does, only that one can prove.
 */
export const startEsdbServer = async (file: string, port = 0): Promise<EsdbServer> => {
  const log = new RecordLog(file);
  const server = new grpc.Server({ 'grpc.max_receive_message_length': 17 * 1024 * 1024 });
  server.addService(featuresService.ServerFeaturesService, {
    getSupportedMethods: (_call: unknown, done: grpc.sendUnaryData<unknown>) => done(null, supported()),
  });
  server.addService(streamsService.StreamsService, {
    append: (call: grpc.ServerReadableStream<Streams.AppendReq, Streams.AppendResp>, done: grpc.sendUnaryData<Streams.AppendResp>) =>
      takeAppend(log, call, done),
    batchAppend: (call: grpc.ServerDuplexStream<Streams.BatchAppendReq, Streams.BatchAppendResp>) => takeBatches(log, call),
    read: (call: grpc.ServerWritableStream<Streams.ReadReq, Streams.ReadResp>) => answerRead(log, call),
    delete: unimplemented,
    tombstone: unimplemented,
  });
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, at) => (error ? reject(error) : resolve(at))),
  );
  return {
    connectionString: `esdb://127.0.0.1:${bound}?tls=false`,
    close: async () => {
      server.forceShutdown();
      log.close();
    },
  };
};

const unimplemented = (_call: unknown, done: grpc.sendUnaryData<unknown>): void =>
  done({ code: grpc.status.UNIMPLEMENTED, details: 'the test server does not do this' });

const supported = () => {
  const methods = new features.SupportedMethods();
  methods.setEventStoreServerVersion('24.2.0');
  for (const name of METHODS) {
    const method = new features.SupportedMethod();
    method.setServiceName(SERVICE);
    method.setMethodName(name);
    methods.addMethods(method);
  }
  return methods;
};

type ProposedMessage = Streams.AppendReq.ProposedMessage | Streams.BatchAppendReq.ProposedMessage;
const proposedOf = (message: ProposedMessage): Proposed => {
  const metadata = message.getMetadataMap();
  return {
    id: uuidOf(message.getId()!),
    type: metadata.get('type') ?? '',
    contentType: metadata.get('content-type') ?? '',
    data: Buffer.from(message.getData_asU8()).toString('base64'),
    metadata: Buffer.from(message.getCustomMetadata_asU8()).toString('base64'),
  };
};
const tooLarge = (events: readonly Proposed[]): boolean =>
  events.reduce((bytes, { data, metadata }) => bytes + Buffer.byteLength(data, 'base64') + Buffer.byteLength(metadata, 'base64'), 0) >
  APPEND_BYTES;

const takeAppend = (
  log: RecordLog,
  call: grpc.ServerReadableStream<Streams.AppendReq, Streams.AppendResp>,
  done: grpc.sendUnaryData<Streams.AppendResp>,
): void => {
  let options: Streams.AppendReq.Options | undefined;
  const events: Proposed[] = [];
  call.on('data', (request: Streams.AppendReq) => {
    if (request.hasOptions()) options = request.getOptions();
    else events.push(proposedOf(request.getProposedMessage()!));
  });
  call.on('end', () => {
    if (!options) return done({ code: grpc.status.INVALID_ARGUMENT, details: 'an append without options' });
    const expected: Expected = options.hasAny()
      ? 'any'
      : options.hasNoStream()
        ? 'no-stream'
        : options.hasStreamExists()
          ? 'exists'
          : Number(options.getRevision());
    const outcome = log.append(nameOf(options.getStreamIdentifier()), expected, events);
    const response = new streams.AppendResp();
    if (outcome.ok) {
      const success = new streams.AppendResp.Success();
      success.setCurrentRevision(String(outcome.revision));
      const position = new streams.AppendResp.Position();
      position.setCommitPosition(String(outcome.commit));
      position.setPreparePosition(String(outcome.commit));
      success.setPosition(position);
      response.setSuccess(success);
    } else {
      const wrong = new streams.AppendResp.WrongExpectedVersion();
      if (outcome.current < 0) wrong.setCurrentNoStream(new shared.Empty());
      else wrong.setCurrentRevision(String(outcome.current));
      if (typeof expected === 'number') wrong.setExpectedRevision(String(expected));
      else wrong.setExpectedNoStream(new shared.Empty());
      response.setWrongExpectedVersion(wrong);
    }
    done(null, response);
  });
};

const takeBatches = (log: RecordLog, call: grpc.ServerDuplexStream<Streams.BatchAppendReq, Streams.BatchAppendResp>): void => {
  const begun = new Map<string, { options: Streams.BatchAppendReq.Options | undefined; events: Proposed[] }>();
  call.on('data', (request: Streams.BatchAppendReq) => {
    const correlation = uuidOf(request.getCorrelationId()!);
    const batch = begun.get(correlation) ?? { options: undefined, events: [] };
    begun.set(correlation, batch);
    batch.options = request.getOptions() ?? batch.options;
    batch.events.push(...request.getProposedMessagesList().map(proposedOf));
    if (!request.getIsFinal()) return;
    begun.delete(correlation);
    call.write(batchAnswer(log, request.getCorrelationId()!, batch.options!, batch.events));
  });
  call.on('error', () => undefined);
  call.on('end', () => call.end());
};

const batchAnswer = (log: RecordLog, correlation: Shared.UUID, options: Streams.BatchAppendReq.Options, events: readonly Proposed[]) => {
  const response = new streams.BatchAppendResp();
  response.setCorrelationId(correlation);
  response.setStreamIdentifier(options.getStreamIdentifier());
  const expected: Expected = options.hasAny()
    ? 'any'
    : options.hasNoStream()
      ? 'no-stream'
      : options.hasStreamExists()
        ? 'exists'
        : Number(options.getStreamPosition());
  if (tooLarge(events)) {
    const most = new shared.MaximumAppendSizeExceeded();
    most.setMaxappendsize(APPEND_BYTES);
    response.setError(failed(grpc.status.INVALID_ARGUMENT, 'MaximumAppendSizeExceeded', most.serializeBinary()));
    return response;
  }
  const outcome = log.append(nameOf(options.getStreamIdentifier()), expected, events);
  if (outcome.ok) {
    const success = new streams.BatchAppendResp.Success();
    success.setCurrentRevision(String(outcome.revision));
    const position = new shared.AllStreamPosition();
    position.setCommitPosition(String(outcome.commit));
    position.setPreparePosition(String(outcome.commit));
    success.setPosition(position);
    response.setSuccess(success);
    return response;
  }
  const wrong = new shared.WrongExpectedVersion();
  if (outcome.current < 0) wrong.setCurrentNoStream(new emptyPb.Empty());
  else wrong.setCurrentStreamRevision(String(outcome.current));
  if (typeof expected === 'number') wrong.setExpectedStreamPosition(String(expected));
  else wrong.setExpectedNoStream(new emptyPb.Empty());
  response.setError(failed(grpc.status.FAILED_PRECONDITION, 'WrongExpectedVersion', wrong.serializeBinary()));
  return response;
};

const failed = (code: number, what: string, bytes: Uint8Array) => {
  const details = new anyPb.Any();
  details.pack(bytes, `event_store.client.${what}`);
  const error = new status.Status();
  error.setCode(code);
  error.setMessage(what);
  error.setDetails(details);
  return error;
};

const answerRead = (log: RecordLog, call: grpc.ServerWritableStream<Streams.ReadReq, Streams.ReadResp>): void => {
  const options = call.request.getOptions()!;
  const subscribed = options.hasSubscription();
  const backwards = options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS;
  const prefixes = options.getFilter()?.getStreamIdentifier()?.getPrefixList() ?? [];
  const wanted = ({ stream }: Recorded) => prefixes.length === 0 || prefixes.some((prefix) => stream.startsWith(prefix));
  const one = options.getStream();
  const name = one && nameOf(one.getStreamIdentifier());
  const list = name === undefined ? log.all : (log.streams.get(name) ?? []);
  if (name !== undefined && list.length === 0 && !subscribed) {
    const missing = new streams.ReadResp.StreamNotFound();
    missing.setStreamIdentifier(one!.getStreamIdentifier());
    const response = new streams.ReadResp();
    response.setStreamNotFound(missing);
    call.write(response);
    return void call.end();
  }
  const end = backwards ? list.length - 1 : list.length;
  const all = options.getAll();
  // A subscription begins behind the place that it names; a read begins at it.
  const behind = subscribed ? 1 : 0;
  const from = one
    ? one.hasRevision()
      ? Number(one.getRevision()) + behind
      : one.hasEnd()
        ? end
        : 0
    : all!.hasPosition()
      ? Number(all!.getPosition()!.getCommitPosition()) + behind
      : all!.hasEnd()
        ? end
        : 0;
  let left = subscribed || !options.hasCount() ? Infinity : Number(options.getCount());
  const step = backwards ? -1 : 1;
  if (subscribed) {
    const confirmation = new streams.ReadResp.SubscriptionConfirmation();
    confirmation.setSubscriptionId('one');
    const response = new streams.ReadResp();
    response.setConfirmation(confirmation);
    call.write(response);
  }
  for (let at = from; at >= 0 && at < list.length && left > 0; at += step) {
    const record = list[at]!;
    if (!wanted(record)) continue;
    call.write(eventOf(record));
    left--;
  }
  if (!subscribed) return void call.end();
  const caughtUp = new streams.ReadResp();
  caughtUp.setCaughtUp(new streams.ReadResp.CaughtUp());
  call.write(caughtUp);
  const stop = log.listen((record) => {
    if (wanted(record) && (name === undefined || record.stream === name)) call.write(eventOf(record));
  });
  call.on('cancelled', () => {
    stop();
    call.end();
  });
};

const eventOf = (record: Recorded) => {
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent();
  const id = new shared.UUID();
  id.setString(record.id);
  recorded.setId(id);
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(record.stream).toString('base64'));
  recorded.setStreamIdentifier(identifier);
  recorded.setStreamRevision(String(record.revision));
  recorded.setCommitPosition(String(record.commit));
  recorded.setPreparePosition(String(record.commit));
  const metadata = recorded.getMetadataMap();
  metadata.set('type', record.type);
  metadata.set('content-type', record.contentType);
  metadata.set('created', record.created);
  recorded.setData(record.data);
  recorded.setCustomMetadata(record.metadata);
  const event = new streams.ReadResp.ReadEvent();
  event.setEvent(recorded);
  event.setCommitPosition(String(record.commit));
  const response = new streams.ReadResp();
  response.setEvent(event);
  return response;
};

const nameOf = (identifier: Shared.StreamIdentifier | undefined): string => Buffer.from(identifier!.getStreamName_asU8()).toString('utf8');

const uuidOf = (uuid: Shared.UUID): string => {
  if (uuid.hasString()) return uuid.getString();
  const structured = uuid.getStructured()!;
  const hex = (half: string | number) => BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, '0');
  const all = hex(structured.getMostSignificantBits()) + hex(structured.getLeastSignificantBits());
  return [all.slice(0, 8), all.slice(8, 12), all.slice(12, 16), all.slice(16, 20), all.slice(20)].join('-');
};
