import { z } from 'zod';
import type { Ref } from '../../contracts/kinds.ts';

/* Shapes of values in specs. */

/** Text that is not empty. */
export const text = z.string().min(1);

const ref: z.ZodType<Ref> = z.strictObject({
  ref: z.string().regex(/^.+\.[A-Za-z]+$/, 'must name a step and an output of it'),
});

/** Text, or another step's output. */
export const textValue = z.union([z.string(), ref]);
/** A number, or another step's output. */
export const numberValue = z.union([z.number(), ref]);
/** Text or a number, or another step's output. */
export const anyValue = z.union([z.string(), z.number(), ref]);

/** A path of a URL. */
export const path = z.string().startsWith('/');

/** A free label that tells the parts of a tenant apart (`backend`, `worker`): lower case letters, digits and hyphens, 1 to 18. */
export const label = z.string().regex(/^[a-z](?:[a-z0-9-]{0,16}[a-z0-9])?$/, 'must be a label of 1 to 18 characters');
