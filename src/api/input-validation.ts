import type { FastifySchemaCompiler } from 'fastify';
import type { FastifySchemaValidationError } from 'fastify/types/schema.js';
import type { z } from 'zod';
import { narrowestLimits, problemOf } from '../field-problems.ts';

/** Checks requests; what is wrong is said in plain sentences, where a schema has none of its own. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema }) => {
  return (data: unknown) => {
    const result = schema.safeParse(data, { error: problemOf });
    return result.success
      ? { value: result.data }
      : { error: narrowestLimits(result.error.issues).map(asValidationError) };
  };
};

function asValidationError({ code, path, message }: z.core.$ZodIssue): FastifySchemaValidationError {
  const instancePath = `/${path.join('/')}`;
  return { keyword: code, instancePath, schemaPath: `#${instancePath}/${code}`, message, params: {} };
}
