import { Body, Controller, Delete, Get, Header, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Administrator } from '@isthmus/estate';
import { IS_DEMO } from './demo-links.js';
import { Described } from './described.js';
import { BeforePasswordChange, COOKIE, Open, WhoCalls, type Caller } from './guard.js';
import { Sessions } from './sessions.js';
import { credentials, passwordChange, type Credentials, type PasswordChange } from './shapes.js';
import { SECURE } from './tokens.js';
import { valid } from './valid.js';

@ApiTags('sessions')
@Controller('v1/sessions')
export class SessionsEdge {
  constructor(
    private readonly sessions: Sessions,
    @Inject(SECURE) private readonly secure: boolean,
    @Inject(IS_DEMO) private readonly demo: boolean,
  ) {}

  @Post()
  @Open()
  @Header('cache-control', 'no-store')
  @Described({ summary: 'Signs in; the session is a cookie that scripts cannot read', takes: 'Credentials', gives: { 201: 'Session' } })
  async signIn(@Body(valid(credentials)) body: Credentials, @Req() request: Request, @Res({ passthrough: true }) response: Response) {
    const { token, administrator } = await this.sessions.signIn(body.name, body.password, addressOf(request));
    response.cookie(COOKIE, token, { httpOnly: true, sameSite: 'strict', secure: this.secure, path: '/' });
    return this.shown(administrator);
  }

  @Get('current')
  @BeforePasswordChange()
  @Described({ summary: 'Says who is signed in', gives: { 200: 'Session' } })
  current(@WhoCalls() { administrator }: Caller) {
    return this.shown(administrator);
  }

  @Delete('current')
  @BeforePasswordChange()
  @HttpCode(204)
  @Described({ summary: 'Signs out', gives: { 204: null } })
  signOut(@WhoCalls() { token }: Caller, @Res({ passthrough: true }) response: Response): void {
    this.sessions.signOut(token);
    response.clearCookie(COOKIE, { httpOnly: true, sameSite: 'strict', secure: this.secure, path: '/' });
  }

  @Post('current/password')
  @BeforePasswordChange()
  @HttpCode(204)
  @Described({ summary: "Changes one's own password and ends one's other sessions", takes: 'PasswordChange', gives: { 204: null } })
  async changePassword(
    @Body(valid(passwordChange)) body: PasswordChange,
    @WhoCalls() caller: Caller,
    @Req() request: Request,
  ): Promise<void> {
    await this.sessions.changePassword(caller.token, caller.administrator, body.current, body.next, addressOf(request));
  }

  private shown({ id, name, mustChangePassword }: Administrator) {
    return { administrator: { id, name }, mustChangePassword, demo: this.demo };
  }
}

const addressOf = (request: Request): string => request.socket.remoteAddress ?? 'unknown';
