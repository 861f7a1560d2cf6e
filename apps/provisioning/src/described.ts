import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { ShapeName } from './shapes.js';

interface Description {
  readonly summary: string;
  readonly takes?: ShapeName;
  /** By status. Null: no body. */
  readonly gives: Readonly<Record<number, ShapeName | null>>;
  readonly headers?: Readonly<Record<string, string>>;
}

const reference = (shape: ShapeName) => ({ $ref: `#/components/schemas/${shape}` });

/** What an operation is for, takes and gives, for the OpenAPI document. What may go wrong is the same everywhere and added there. */
export const Described = ({ summary, takes, gives, headers = {} }: Description) =>
  applyDecorators(
    ApiOperation({ summary }),
    ...(takes ? [ApiBody({ required: true, schema: reference(takes) })] : []),
    ...Object.entries(gives).map(([status, shape]) =>
      ApiResponse({ status: Number(status), description: shape ?? 'Done.', ...(shape ? { schema: reference(shape) } : {}) }),
    ),
    ...Object.entries(headers).map(([name, description]) => ApiHeader({ name, description, required: false })),
  );
