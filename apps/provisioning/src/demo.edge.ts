import { Body, Controller, Get, Inject, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { logOf } from '@isthmus/service-kit';
import { DEMO_LINKS, type DemoLinks } from './demo-links.js';
import { Described } from './described.js';
import { WhoCalls, type Caller } from './guard.js';
import { demoLinkWish, type DemoLinkWish } from './shapes.js';
import { SiteBook } from './site-book.js';
import { valid } from './valid.js';

/** What an administrator may do to a demo's links to see how it bears it. Not there in a real deployment. */
@ApiTags('demo')
@Controller('v1/demo/links')
export class DemoEdge {
  constructor(
    private readonly sites: SiteBook,
    @Inject(DEMO_LINKS) private readonly links: DemoLinks,
  ) {}

  @Get()
  @Described({ summary: 'Lists the links of this demo, and which are cut', gives: { 200: 'DemoLinks' } })
  async list() {
    return { items: await this.links.list() };
  }

  @Put()
  @Described({ summary: 'Cuts or heals links of this demo', takes: 'DemoLinkWish', gives: { 200: 'DemoLinks' } })
  async change(@Body(valid(demoLinkWish)) { cut, ...choice }: DemoLinkWish, @WhoCalls() { administrator }: Caller) {
    for (const site of [choice.from, choice.to]) if (site !== undefined) this.sites.get(site);
    const items = await this.links.change(choice, cut);
    logOf('provisioning').info({ ...choice, cut, by: administrator.name }, 'links of the demo were changed');
    return { items };
  }
}
