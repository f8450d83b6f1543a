import { z } from 'zod';

/** A value that this release does not know. It keeps the known ones apart for editors and comparisons. */
export type Unlisted = string & Record<never, never>;

/** The type with each list of words opened: an API of a later release may have further ones. */
export type Open<T> = T extends string
  ? string extends T
    ? T
    : T | Unlisted
  : T extends readonly (infer Item)[]
    ? Open<Item>[]
    : T extends object
      ? { [Key in keyof T]: Open<T[Key]> }
      : T;

/** An answer's schema that takes words of a later release, to be shown as they are; all else is checked as before. */
export function open<S extends z.ZodType>(schema: S): z.ZodType<Open<z.output<S>>> {
  return opened(schema) as z.ZodType<Open<z.output<S>>>;
}

function opened(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodEnum) return z.string();
  if (schema instanceof z.ZodObject)
    return z.object(
      Object.fromEntries(Object.entries(schema.shape as z.core.$ZodShape).map(([k, v]) => [k, opened(v)])),
    );
  if (schema instanceof z.ZodArray) return z.array(opened(schema.element));
  if (schema instanceof z.ZodOptional) return z.optional(opened(schema.unwrap()));
  if (schema instanceof z.ZodNullable) return z.nullable(opened(schema.unwrap()));
  return schema;
}
