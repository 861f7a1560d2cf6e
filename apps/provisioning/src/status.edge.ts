import { Controller, Get, Res } from '@nestjs/common';
import { ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Refusal } from '@isthmus/kernel';
import type { Status } from '@isthmus/protocol';
import { Described } from './described.js';
import { WhoCalls, type Caller } from './guard.js';
import { LiveStatus } from './live-status.js';
import { Sessions } from './sessions.js';

/** Whole snapshots, at most one in this time. */
const EVERY_MS = 1_000;
/** A comment in between, so that proxies and browsers know that the line is alive. */
const HEARTBEAT_MS = 10_000;
const STREAMS_MAX = 200;
/** A reader that takes nothing for so many bytes is let go; it will come back and get the newest. */
const UNSENT_BYTES_MAX = 8 * 1024 * 1024;

@ApiTags('status')
@Controller('v1')
export class StatusEdge {
  private streams = 0;

  constructor(
    private readonly live: LiveStatus,
    private readonly sessions: Sessions,
  ) {}

  @Get('status')
  @Described({ summary: 'Shows the whole running estate: sites, nodes, conferences, links, savings, alarms', gives: { 200: 'Status' } })
  now(): Status {
    return this.live.now();
  }

  @Get('status/stream')
  @ApiProduces('text/event-stream')
  @Described({
    summary: 'Sends the running estate as server-sent events (`status`), whole, at most once a second',
    gives: { 200: 'Status' },
  })
  stream(@WhoCalls() { token }: Caller, @Res() response: Response): void {
    if (this.streams >= STREAMS_MAX) throw new Refusal('status.too-many-streams', 'Too many people look at this moment.', { status: 503 });
    this.streams += 1;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    response.write('retry: 2000\n\n');

    let due: Status | undefined;
    let lastAt = -Infinity;
    const send = () => {
      if (!this.sessions.stands(token)) return end();
      if (response.writableLength > UNSENT_BYTES_MAX) return end();
      const now = performance.now();
      if (due && now - lastAt >= EVERY_MS - 50) {
        response.write(`event: status\ndata: ${JSON.stringify(due)}\n\n`);
        due = undefined;
        lastAt = now;
      } else if (now - lastAt >= HEARTBEAT_MS) {
        response.write(': still here\n\n');
        lastAt = now;
      }
    };
    const stopListening = this.live.listen((status) => {
      due = status;
      send();
    });
    const timer = setInterval(send, EVERY_MS);
    const end = () => void response.end();
    response.once('close', () => {
      this.streams -= 1;
      clearInterval(timer);
      stopListening();
    });
    try {
      due = this.live.now();
      send();
    } catch {
      // Telemetry has nothing yet; the first snapshot comes when it has.
    }
  }
}
