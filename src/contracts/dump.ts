/** A file of a dump as it is stored: compressed by gzip. */
export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
  /** SHA-256 of what is stored, hex. */
  readonly sha256: string;
}

/** What is the tenant's and is not in a dump. */
export interface NotDumped {
  readonly type: string;
  readonly identity: string;
}

export interface DumpedTable extends StoredFile {
  readonly table: string;
  /** Names of the columns, as SQL, in the order of the file (PostgreSQL's COPY, text format, UTF-8). */
  readonly columns: readonly string[];
  readonly rows: number;
}

/** What a dump of a schema of PostgreSQL consists of. */
export interface SchemaDump {
  readonly format: 'postgres-schema';
  readonly schema: string;
  readonly serverVersion: string;
  /** When the snapshot was taken that all of it shows. */
  readonly takenAt: string;
  /** Has to be there before it is loaded. */
  readonly extensions: readonly string[];
  readonly beforeData: StoredFile;
  readonly afterData: StoredFile;
  readonly tables: readonly DumpedTable[];
  /** None of it holds data. */
  readonly notDumped: readonly NotDumped[];
}

/** Rows of a table of DynamoDB: a line `{"Item":{...}}` each, in DynamoDB's JSON, as AWS imports it from S3. */
export interface DumpedRows extends StoredFile {
  readonly table: string;
  /** Attributes of the table's key. */
  readonly keys: readonly string[];
  /** The one partition whose rows they are; null: all rows of the table. */
  readonly partition: string | null;
  readonly rows: number;
  /** Of the rows, in whichever order (`createRowChecksum`). */
  readonly checksum: string;
}

/** What a dump of rows of DynamoDB consists of. */
export interface RowsDump {
  readonly format: 'dynamodb-rows';
  /** When the first row was read: nobody writes to them from then on. */
  readonly takenAt: string;
  readonly tables: readonly DumpedRows[];
  /** It may hold data, and no dump is made of it. */
  readonly notDumped: readonly NotDumped[];
}

export type Dump = SchemaDump | RowsDump;

/** There is nothing of which a dump could be made. */
export interface NoDump {
  readonly nothing: string;
}

/** Its files, in the order in which they are loaded. */
export function filesOf(dump: Dump): readonly StoredFile[] {
  return dump.format === 'postgres-schema' ? [dump.beforeData, ...dump.tables, dump.afterData] : dump.tables;
}
