import type { Caller } from './caller.ts';
import type { Residue } from './messages.ts';
import type { OperationType } from './operation-table.ts';

/** What a certificate of deletion says; times are ISO 8601. Names of people are in none of it. */
export interface Certificate {
  readonly certificate: 'tenantry-deletion';
  readonly version: 1;
  readonly installationId: string;
  readonly tenant: {
    readonly tenantId: string;
    readonly product: string;
    readonly tier: string | null;
    readonly slug: string;
    readonly cell: string;
    readonly createdAt: string;
    readonly activatedAt: string | null;
    readonly deletedAt: string;
  };
  readonly operation: {
    readonly operationId: string;
    readonly type: OperationType;
    /** Null: not known. */
    readonly askedBy: Pick<Caller, 'principal' | 'role' | 'requestId'> | null;
    readonly askedAt: string;
    readonly closedAt: string;
  };
  readonly resources: readonly CertifiedResource[];
  /** Rows of services that were deleted one by one. Absent: certified by a release that listed none. */
  readonly deletedRows?: readonly CertifiedRows[];
  /** What stays for a while though it was removed. */
  readonly residues: readonly (Residue & { readonly stepId: string })[];
  /** Whether anything is kept of the data, and why not. Absent: certified by a release that kept none. */
  readonly finalDump?: { readonly kept: boolean; readonly why: string | null };
  /** Of each step that held data. */
  readonly finalDumps?: readonly CertifiedDump[];
  readonly tombstone: {
    /** Until when nobody can create a tenant of this slug. Null: it was free at once. */
    readonly slugReservedUntil: string | null;
  };
}

/** Rows of services in a partition of a table that stays. */
export interface DeletedRows {
  readonly table: string;
  readonly partition: string;
  /** Null: they were not counted, by an earlier release, or because the table was gone before them. */
  readonly rows: number | null;
  /** False: an attempt was interrupted, so that there were more than `rows`, perhaps. */
  readonly isExact: boolean;
}

export interface CertifiedRows extends DeletedRows {
  readonly stepId: string;
  /** When the last of them was seen absent. */
  readonly absentAt: string;
}

export type CertifiedDump = { readonly stepId: string; readonly kind: string } & (
  | { readonly kept: false; readonly why: string }
  | {
      readonly kept: true;
      readonly bucket: string;
      /** Key of the object that names all others of the dump, with their checksums. */
      readonly manifest: string;
      /** Of that object, hex. */
      readonly manifestSha256: string;
      /** It may be handed out. */
      readonly exported: boolean;
      /** Compressed, without the manifest. */
      readonly bytes: number;
      readonly tables: number;
      readonly rows: number;
      readonly keptAt: string;
      /** When it is removed. */
      readonly expiresAt: string | null;
    }
);

export interface CertifiedResource {
  readonly stepId: string;
  readonly type: string;
  readonly name: string;
  readonly physicalId: string | null;
  /** When it was made: a change in its place keeps this, and one that was gone and made anew has the later time. Null: it never was for sure. */
  readonly madeAt: string | null;
  /** When it was seen absent. */
  readonly absentAt: string;
}

/** A JSON Web Signature in flattened JSON (RFC 7515, 7.2.2). */
export interface SignedJson {
  readonly payload: string;
  readonly protected: string;
  readonly signature: string;
}

/** What is signed, and the same to be read. */
export interface SignedCertificate {
  readonly certificate: Certificate;
  readonly jws: SignedJson;
}
