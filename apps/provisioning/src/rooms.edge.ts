import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  Headers,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Refusal } from '@isthmus/kernel';
import { Described } from './described.js';
import { WhoCalls, type Caller } from './guard.js';
import { Idempotency } from './idempotency.js';
import { RoomBook, type RoomEntry } from './room-book.js';
import { newRoom, page, pinWish, roomPatch, type NewRoom, type Page, type PinWish, type RoomPatch } from './shapes.js';
import { ESTATE, type EstateKeeper } from './tokens.js';
import { valid, type RequestRefusal } from './valid.js';
import { waysToJoin } from './ways-to-join.js';

const IF_MATCH = { 'If-Match': 'The ETag of the room as you know it: changes it only if it is still that.' };

@ApiTags('rooms')
@Controller('v1/rooms')
export class RoomsEdge {
  constructor(
    private readonly book: RoomBook,
    @Inject(ESTATE) private readonly estate: EstateKeeper,
  ) {}

  @Get()
  @Described({ summary: 'Lists rooms, by name', gives: { 200: 'Rooms' } })
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 } })
  @ApiQuery({ name: 'cursor', required: false, description: '`next` of the page before', schema: { type: 'string' } })
  @ApiQuery({ name: 'search', required: false, description: 'Part of a name or an alias', schema: { type: 'string' } })
  list(@Query(valid(page)) query: Page) {
    const { items, next, total } = this.book.list(query);
    return { items: items.map(shown), next, total };
  }

  @Post()
  @UseInterceptors(Idempotency)
  @Described({
    summary: 'Makes a room',
    takes: 'NewRoom',
    gives: { 201: 'Room' },
    headers: { 'Idempotency-Key': 'Sent again with the same key and body, it answers the same and makes nothing.' },
  })
  async create(@Body(valid(newRoom)) body: NewRoom, @WhoCalls() caller: Caller, @Res({ passthrough: true }) response: Response) {
    const entry = await this.book.create(body, caller.administrator.id);
    response.setHeader('location', `/v1/rooms/${entry.room.id}`);
    return this.answer(entry, response);
  }

  @Get(':id')
  @Described({ summary: 'Shows a room', gives: { 200: 'Room' } })
  get(@Param('id') id: string, @Res({ passthrough: true }) response: Response) {
    return this.answer(this.book.get(id), response);
  }

  @Patch(':id')
  @Described({ summary: 'Changes what is given of a room', takes: 'RoomPatch', gives: { 200: 'Room' }, headers: IF_MATCH })
  async change(
    @Param('id') id: string,
    @Body(valid(roomPatch)) body: RoomPatch,
    @Headers('if-match') ifMatch: string | undefined,
    @WhoCalls() caller: Caller,
    @Res({ passthrough: true }) response: Response,
  ) {
    return this.answer(await this.book.change(id, body, revisionIn(ifMatch), caller.administrator.id), response);
  }

  @Delete(':id')
  @HttpCode(204)
  @Described({ summary: 'Deletes a room; whoever is in is put out', gives: { 204: null }, headers: IF_MATCH })
  async delete(@Param('id') id: string, @Headers('if-match') ifMatch: string | undefined, @WhoCalls() caller: Caller): Promise<void> {
    await this.book.delete(id, revisionIn(ifMatch), caller.administrator.id);
  }

  @Post(':id/pins')
  @Header('cache-control', 'no-store')
  @Described({ summary: 'Sets a PIN that nobody chose, and shows it this once', takes: 'PinWish', gives: { 201: 'PinMade' } })
  async makePin(@Param('id') id: string, @Body(valid(pinWish)) body: PinWish, @WhoCalls() caller: Caller) {
    const { pin } = await this.book.makePin(id, body, caller.administrator.id);
    return { role: body.role, pin };
  }

  @Get(':id/ways-to-join')
  @Described({ summary: 'Shows every way into a room', gives: { 200: 'WaysToJoin' } })
  waysToJoin(@Param('id') id: string) {
    return waysToJoin(this.book.get(id).room, this.estate.state);
  }

  private answer(entry: RoomEntry, response: Response) {
    response.setHeader('etag', `"${entry.revision}"`);
    return shown(entry);
  }
}

/** A room as it is shown: that it has PINs, never what they are. */
const shown = ({ room: { hostPinHash, guestPinHash, ...room }, revision }: RoomEntry) => ({
  ...room,
  hostPinSet: hostPinHash !== null,
  guestPinSet: guestPinHash !== null,
  revision,
});

/** RFC 9110 §13.1.1. Undefined: no condition, or `*`, which any existing room meets. */
const revisionIn = (ifMatch: string | undefined): number | undefined => {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const [, revision] = /^\s*"(\d{1,15})"\s*$/.exec(ifMatch) ?? [];
  if (revision !== undefined) return Number(revision);
  throw new Refusal<RequestRefusal>('request.precondition-failed', 'If-Match holds no ETag that this room ever had.', { status: 412 });
};
