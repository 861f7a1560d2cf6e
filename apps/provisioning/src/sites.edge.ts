import { Body, Controller, Delete, Get, Header, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Described } from './described.js';
import { WhoCalls, type Caller } from './guard.js';
import { JoinBook } from './join-book.js';
import { newSite, nodeWish, sitePatch, type NewSite, type NodeWish, type SitePatch } from './shapes.js';
import { SiteBook } from './site-book.js';
import { valid } from './valid.js';

@ApiTags('sites')
@Controller('v1/sites')
export class SitesEdge {
  constructor(
    private readonly book: SiteBook,
    private readonly joins: JoinBook,
  ) {}

  @Get()
  @Described({ summary: 'Lists sites, and which configuration each goes by', gives: { 200: 'Sites' } })
  list() {
    return { items: this.book.list(), configurationVersion: this.book.configurationVersion };
  }

  @Post()
  @Described({ summary: 'Adds a site; an enrolment token then lets its machine in', takes: 'NewSite', gives: { 201: 'Site' } })
  create(@Body(valid(newSite)) body: NewSite, @WhoCalls() caller: Caller) {
    return this.book.add(body, caller.administrator.id);
  }

  @Get(':id')
  @Described({ summary: 'Shows a site', gives: { 200: 'Site' } })
  get(@Param('id') id: string) {
    return this.book.get(id);
  }

  @Patch(':id')
  @Described({ summary: 'Changes what is given of a site', takes: 'SitePatch', gives: { 200: 'Site' } })
  change(@Param('id') id: string, @Body(valid(sitePatch)) body: SitePatch, @WhoCalls() caller: Caller) {
    return this.book.change(id, body, caller.administrator.id);
  }

  @Delete(':id')
  @HttpCode(204)
  @Described({ summary: 'Removes a site; management no longer talks to it', gives: { 204: null } })
  async remove(@Param('id') id: string, @WhoCalls() caller: Caller): Promise<void> {
    await this.book.remove(id, caller.administrator.id);
  }

  @Post(':id/enrolment-tokens')
  @Header('cache-control', 'no-store')
  @Described({ summary: 'Makes a token with which one machine may become this site, once', gives: { 201: 'EnrolmentToken' } })
  offer(@Param('id') id: string, @WhoCalls() caller: Caller) {
    return this.joins.forSite(id, caller.administrator.id);
  }

  @Post(':id/node-tokens')
  @Header('cache-control', 'no-store')
  @Described({
    summary: 'Makes a command by which one machine becomes a media node of this site, once',
    takes: 'NodeWish',
    gives: { 201: 'JoinCommand' },
  })
  offerNode(@Param('id') id: string, @Body(valid(nodeWish)) body: NodeWish, @WhoCalls() caller: Caller) {
    return this.joins.forNode(id, body, caller.administrator.id);
  }
}
