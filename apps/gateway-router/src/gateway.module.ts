import { Module, type DynamicModule } from '@nestjs/common';
import { BusEdge } from './bus.edge.js';
import { Farewell } from './farewell.js';
import { Seats } from './seats.js';
import { SiteCopy } from './site-copy.js';
import { Ways } from './ways.js';

/** The gateway-router as Nest sees it: what arrives on the bus meets what this site's clients hold. */
@Module({})
export class GatewayModule {
  static of(seats: Seats, copy: SiteCopy, farewell: Farewell, ways: Ways): DynamicModule {
    return {
      module: GatewayModule,
      controllers: [BusEdge],
      providers: [
        { provide: Seats, useValue: seats },
        { provide: SiteCopy, useValue: copy },
        { provide: Farewell, useValue: farewell },
        { provide: Ways, useValue: ways },
      ],
    };
  }
}
