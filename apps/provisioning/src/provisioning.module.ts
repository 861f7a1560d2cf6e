import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { AdministratorsEdge } from './administrators.edge.js';
import { DemoEdge } from './demo.edge.js';
import { DEMO_LINKS, IS_DEMO, type DemoLinks } from './demo-links.js';
import { SessionGuard } from './guard.js';
import { Idempotency } from './idempotency.js';
import { JoinBook } from './join-book.js';
import { LiveStatus } from './live-status.js';
import { NodeBook } from './node-book.js';
import { NodesEdge } from './nodes.edge.js';
import { RoomBook } from './room-book.js';
import { RoomsEdge } from './rooms.edge.js';
import { Sessions } from './sessions.js';
import { SessionsEdge } from './sessions.edge.js';
import { SiteBook } from './site-book.js';
import { SitesEdge } from './sites.edge.js';
import { StatusEdge } from './status.edge.js';
import { Statuses } from './statuses.js';
import { ADMINISTRATORS, ESTATE, SECURE, type AdministratorsKeeper, type EstateKeeper } from './tokens.js';

export interface Parts {
  readonly estate: EstateKeeper;
  readonly administrators: AdministratorsKeeper;
  readonly rooms: RoomBook;
  readonly sites: SiteBook;
  readonly nodes: NodeBook;
  readonly joins: JoinBook;
  readonly sessions: Sessions;
  readonly live: LiveStatus;
  readonly secure: boolean;
  readonly demoLinks?: DemoLinks | undefined;
}

@Module({})
export class ProvisioningModule {
  static of({ estate, administrators, rooms, sites, nodes, joins, sessions, live, secure, demoLinks }: Parts): DynamicModule {
    return {
      module: ProvisioningModule,
      controllers: [SessionsEdge, AdministratorsEdge, RoomsEdge, SitesEdge, NodesEdge, StatusEdge, ...(demoLinks ? [DemoEdge] : [])],
      providers: [
        { provide: ESTATE, useValue: estate },
        { provide: ADMINISTRATORS, useValue: administrators },
        { provide: SECURE, useValue: secure },
        { provide: IS_DEMO, useValue: demoLinks !== undefined },
        ...(demoLinks ? [{ provide: DEMO_LINKS, useValue: demoLinks }] : []),
        { provide: RoomBook, useValue: rooms },
        { provide: SiteBook, useValue: sites },
        { provide: NodeBook, useValue: nodes },
        { provide: JoinBook, useValue: joins },
        { provide: Sessions, useValue: sessions },
        { provide: LiveStatus, useValue: live },
        Idempotency,
        // Default deny: what is not marked open needs a session, a handler that somebody adds tomorrow too.
        { provide: APP_GUARD, useClass: SessionGuard },
        { provide: APP_INTERCEPTOR, useClass: Statuses },
      ],
    };
  }
}
