import type { Ownership } from '../naming.ts';

/** A schema and its role have one name. */
export interface SchemaKey {
  /** Id of the database in the cell's description. */
  readonly database: string;
  /** Name of the schema and of the role. */
  readonly name: string;
  readonly ownership: Ownership;
}

/** A login role of a tenant beside the owner of its schema; `name` is the login's. */
export interface LoginKey extends SchemaKey {
  /** The role that the schema belongs to. */
  readonly owner: string;
}

export interface MigrationRun extends SchemaKey {
  /** The tenant's own: the migrations run in a session of its role, so what a tenant hides in its schema gains nothing. */
  readonly password: string;
  /** A set of migrations, by the name of the product that brings it. */
  readonly set: string;
  /** Awaited before each file; throws when the step is being taken back. */
  readonly guard: () => Promise<void>;
}
