/** What a field of a definition is written as. */
export type FieldShape = 'string' | 'object' | 'function' | 'list' | 'boolean' | 'any';

/** By field: its shape; `?` at the end: it may be left out. */
export type Shape = Readonly<Record<string, FieldShape | `${FieldShape}?`>>;

/** For those who write without types: every field that is missing, of another shape, or that there is none of, as sentences. */
export function shapeProblems(given: unknown, shape: Shape): string[] {
  if (typeof given !== 'object' || given === null) return ['it is no object'];
  const fields = new Map<string, unknown>(Object.entries(given));
  const lacking = Object.entries(shape).flatMap(([field, is]) => {
    const value = fields.get(field);
    if (value === undefined) return is.endsWith('?') ? [] : [`${field} (${is})`];
    return hasShape(value, is.replace('?', '')) ? [] : [`${field} (${is.replace('?', '')})`];
  });
  const unknown = [...fields.keys()].filter((field) => !Object.hasOwn(shape, field));
  return [
    ...(lacking.length > 0 ? [`lacks ${lacking.join(', ')}`] : []),
    ...unknown.map((field) => `there is no field "${field}" (there are: ${Object.keys(shape).join(', ')})`),
  ];
}

function hasShape(value: unknown, shape: string): boolean {
  if (shape === 'any') return true;
  if (shape === 'list') return Array.isArray(value);
  return typeof value === shape && value !== null && !Array.isArray(value);
}
