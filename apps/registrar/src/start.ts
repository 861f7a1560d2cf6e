import { Module } from '@nestjs/common';
import type { SiteId } from '@isthmus/kernel';
import type { Bus } from '@isthmus/ports';
import { logOf, startService, type Listen, type RunningService } from '@isthmus/service-kit';

export interface RegistrarOptions {
  readonly site: SiteId;
  readonly listen: Listen;
  readonly bus: Bus;
}

@Module({})
class RegistrarModule {}

/** Starts a site's registrar: its health, for now. It keeps no bindings yet, and takes no REGISTER. */
export const startRegistrar = async ({ site, listen, bus }: RegistrarOptions): Promise<RunningService> => {
  const running = await startService({ name: 'registrar', module: RegistrarModule, listen, bus });
  logOf('registrar').info({ site, url: running.url }, 'started; registrations are not taken yet');
  return running;
};
