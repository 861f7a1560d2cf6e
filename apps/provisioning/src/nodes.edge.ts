import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query } from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import { Described } from './described.js';
import { WhoCalls, type Caller } from './guard.js';
import { NodeBook } from './node-book.js';
import { nodePatch, nodeRemoval, type NodePatch, type NodeRemoval } from './shapes.js';
import { valid } from './valid.js';

@ApiTags('nodes')
@Controller('v1/nodes')
export class NodesEdge {
  constructor(private readonly book: NodeBook) {}

  @Get()
  @Described({ summary: 'Lists media nodes with their load', gives: { 200: 'Nodes' } })
  list() {
    return { items: this.book.list() };
  }

  @Get(':id')
  @Described({ summary: 'Shows a media node: its load, and whether it is drained', gives: { 200: 'Node' } })
  get(@Param('id') id: string) {
    return this.book.get(id);
  }

  @Patch(':id')
  @Described({ summary: 'Has a media node emptied, or used again', takes: 'NodePatch', gives: { 200: 'Node' } })
  change(@Param('id') id: string, @Body(valid(nodePatch)) { draining }: NodePatch, @WhoCalls() caller: Caller) {
    return this.book.change(id, draining, caller.administrator.id);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiQuery({ name: 'now', required: false, schema: { type: 'string', enum: ['true', 'false'], default: 'false' } })
  @Described({ summary: 'Removes a media node that is drained; with `now=true`, any', gives: { 204: null } })
  async remove(@Param('id') id: string, @Query(valid(nodeRemoval)) { now }: NodeRemoval, @WhoCalls() caller: Caller): Promise<void> {
    await this.book.remove(id, now === 'true', caller.administrator.id);
  }
}
