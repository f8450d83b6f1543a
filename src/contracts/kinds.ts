/** A value in a spec: given, or another step's output (`{ ref: '<step id>.<output field>' }`), resolved before the step runs. */
export type Value<T extends string | number> = T | Ref;
export interface Ref {
  readonly ref: string;
}

/** What a step says of the thing that it makes, as it is stored; its kind knows its shape. */
export type Spec = Readonly<Record<string, unknown>>;

/** What a step's `ensure` gives to other steps, by field. */
export type Outputs = Readonly<Record<string, unknown>>;

/** A spec with every reference replaced by what it names. */
export type Resolved<T> = T extends Ref
  ? never
  : T extends readonly (infer U)[]
    ? readonly Resolved<U>[]
    : T extends object
      ? { readonly [P in keyof T]: Resolved<T[P]> }
      : T;

/** The verbs every kind has. */
export const verbs = ['ensure', 'observe', 'remove'] as const;
export type Verb = (typeof verbs)[number];
