import { randomBytes } from 'node:crypto';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Refusal } from '@isthmus/kernel';
import { checkPassword, type Administrator } from '@isthmus/estate';
import { Described } from './described.js';
import { WhoCalls, type Caller } from './guard.js';
import { hashSecret } from './secrets.js';
import { Sessions } from './sessions.js';
import { newAdministrator, newPasswordFor, type NewAdministrator, type NewPasswordFor } from './shapes.js';
import { ADMINISTRATORS, type AdministratorsKeeper } from './tokens.js';
import { valid } from './valid.js';

@ApiTags('administrators')
@Controller('v1/administrators')
export class AdministratorsEdge {
  constructor(
    @Inject(ADMINISTRATORS) private readonly administrators: AdministratorsKeeper,
    private readonly sessions: Sessions,
  ) {}

  @Get()
  @Described({ summary: 'Lists administrators', gives: { 200: 'Administrators' } })
  list() {
    return { items: Object.values(this.administrators.state).map(shown) };
  }

  @Post()
  @Described({
    summary: 'Makes an administrator, who changes the password when they first sign in',
    takes: 'NewAdministrator',
    gives: { 201: 'Administrator' },
  })
  async create(@Body(valid(newAdministrator)) { name, password }: NewAdministrator, @WhoCalls() caller: Caller) {
    checkPassword(password, name);
    const administrator = { id: randomBytes(8).toString('hex'), name, passwordHash: await hashSecret(password), mustChangePassword: true };
    await this.administrators.act(caller.administrator.id, () => ({ type: 'CreateAdministrator', administrator }));
    return shown(administrator);
  }

  @Put(':id/password')
  @HttpCode(204)
  @Described({
    summary: 'Gives an administrator a password to change at the next sign-in, and ends their sessions',
    takes: 'NewPassword',
    gives: { 204: null },
  })
  async setPassword(
    @Param('id') id: string,
    @Body(valid(newPasswordFor)) { password }: NewPasswordFor,
    @WhoCalls() caller: Caller,
  ): Promise<void> {
    await this.sessions.setPassword(this.one(id), password, caller.administrator.id, true);
    this.sessions.endAllOf(id);
  }

  @Delete(':id')
  @HttpCode(204)
  @Described({ summary: 'Deletes an administrator and ends their sessions; never the last one', gives: { 204: null } })
  async delete(@Param('id') id: string, @WhoCalls() caller: Caller): Promise<void> {
    await this.administrators.act(caller.administrator.id, () => ({ type: 'DeleteAdministrator', id }));
    this.sessions.endAllOf(id);
  }

  private one(id: string): Administrator {
    const found = Object.hasOwn(this.administrators.state, id) ? this.administrators.state[id] : undefined;
    if (!found) throw new Refusal('administrator.unknown', 'There is no such administrator.', { status: 404 });
    return found;
  }
}

const shown = ({ id, name, mustChangePassword }: Administrator) => ({ id, name, mustChangePassword });
