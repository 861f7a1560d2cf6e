/**
 * An attribute of a span that is told for somebody who cannot export it themself: the span id that it has there. Whoever
 * exports spans gives it that id and takes it for the root of its trace. The OpenTelemetry API, which is all that services use
 * to make spans, lets nobody choose an id.
 */
export const TOLD_SPAN_ID = 'isthmus.told.span_id';
