import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { COOKIE } from './guard.js';
import { SHAPES } from './shapes.js';

const ABOUT = `Administer Isthmus: rooms, sites, nodes, administrators, and what runs now.

Sign in with \`POST /v1/sessions\`; the answer sets a cookie. Requests that change something also need an \`Origin\` header
with the address they call (browsers send it). What goes wrong is answered as \`application/problem+json\` (RFC 9457) with a
stable \`code\` and, where fields are at fault, \`errors\`.`;

/** Bodies that are given have their shape before defaults are filled in; answers, the one after. */
const isGiven = (name: string): boolean => /^New|Patch$|Wish$|^Credentials$|^PasswordChange$/.test(name);

/** The API as one OpenAPI 3.1 document: paths from the controllers, shapes from the schemas that validate them. */
export const openApiOf = (app: NestExpressApplication): OpenAPIObject => {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Isthmus management')
    .setDescription(ABOUT)
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addCookieAuth(COOKIE)
    .addSecurityRequirements('cookie')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (controller, method) => `${controller.replace('Edge', '').toLowerCase()}.${method}`,
  });
  document.components ??= {};
  document.components.schemas = Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, schemaOf(name, shape)]));
  const problem = {
    description: 'What went wrong.',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path) as { responses?: Record<string, unknown> }[])
      operation.responses = { ...operation.responses, default: problem };
  }
  const signIn = document.paths['/v1/sessions']?.post;
  if (signIn) signIn.security = [];
  return document;
};

/** Serves the document at `/v1/openapi.json` and, for people, at `/docs`; both work without a network. */
export const serveOpenApi = (app: NestExpressApplication): void => {
  SwaggerModule.setup('docs', app, openApiOf(app), {
    jsonDocumentUrl: 'v1/openapi.json',
    yamlDocumentUrl: 'v1/openapi.yaml',
    customSiteTitle: 'Isthmus API',
  });
};

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

const schemaOf = (name: string, shape: z.ZodType): Schemas[string] => {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, { io: isGiven(name) ? 'input' : 'output', unrepresentable: 'any' });
  // OpenAPI 3.1 schemas are JSON Schema 2020-12; the library's types still speak of 3.0.
  return schema as Schemas[string];
};
