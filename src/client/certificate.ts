import type { Catalog } from '../catalog/catalog.ts';
import { contentOf, sign } from '../certificates/signature.ts';
import { signingKey } from '../certificates/signing-keys.ts';
import type { Certificate, CertifiedResource, CertifiedRows, SignedCertificate } from '../contracts/certificate.ts';
import { operationTable } from '../contracts/operation-table.ts';
import { QUARANTINE_DAYS } from '../contracts/slug-quarantine.ts';
import { findCertificate, insertCertificate, listPublicKeys } from '../db/certificates.ts';
import type { Queryable } from '../db/database.ts';
import { findInstallationId } from '../db/installation.ts';
import { listLedger, type LedgerRow } from '../db/ledger.ts';
import { listOperationsOf, type OperationRow } from '../db/operations.ts';
import { listSteps, type StepRow } from '../db/steps.ts';
import type { TenantRow } from '../db/tenants.ts';
import { certifiedDumps } from './final-dump.ts';
import { nounOf } from '../products/known-product.ts';
import { existingTenant } from './reading.ts';
import { RequestError } from './request-error.ts';
import type { ClientDeps } from './requests.ts';
import type { KeysView } from './views.ts';

const DAY_MS = 86_400_000;

/**
 * The signed certificate of a tenant's deletion: made at the first request from what the ledger holds, and the same ever after.
 * @throws RequestError TENANT_NOT_FOUND; CERTIFICATE_NOT_FOUND: no deletion of it has succeeded
 */
export async function readCertificate(
  { catalog, database, codec }: Pick<ClientDeps, 'catalog' | 'database' | 'codec'>,
  tenantId: string,
): Promise<SignedCertificate> {
  const tenant = await existingTenant(database, tenantId);
  const stored = await findCertificate(database, tenantId);
  if (stored) return { certificate: contentOf(stored) as Certificate, jws: stored };
  const { certificate, operationId } = await certify(database, catalog, tenant);
  if (!codec)
    throw new Error(
      'a certificate is signed with a key that is stored encrypted, and there is nothing to encrypt it with',
    );
  const jws = await sign(certificate, await signingKey(database, codec));
  await insertCertificate(database, { operationId, tenantId, jws });
  // Another request may have been first.
  return readCertificate({ catalog, database, codec }, tenantId);
}

export async function readKeys(db: Queryable): Promise<KeysView> {
  return { keys: await listPublicKeys(db) };
}

async function certify(
  db: Queryable,
  catalog: Catalog,
  tenant: TenantRow,
): Promise<{ certificate: Certificate; operationId: string }> {
  const operation = (await listOperationsOf(db, tenant.id)).find(hasRemovedAll);
  if (!operation || !tenant.deletedAt) throw notDeleted(tenant, nounOf(catalog.products, tenant));
  const rows = await listLedger(db, tenant.id);
  const steps = await listSteps(db, tenant.id);
  const certificate: Certificate = {
    certificate: 'tenantry-deletion',
    version: 1,
    installationId: await findInstallationId(db),
    tenant: {
      tenantId: tenant.id,
      product: tenant.product,
      tier: tenant.tier,
      slug: tenant.slug,
      cell: tenant.cell,
      createdAt: tenant.createdAt.toISOString(),
      activatedAt: tenant.activatedAt?.toISOString() ?? null,
      deletedAt: tenant.deletedAt.toISOString(),
    },
    operation: askedFor(operation),
    resources: rows.map(resourceOf),
    deletedRows: steps.flatMap((step) => deletedRowsOf(catalog, step) ?? []),
    residues: [...rows, ...steps].flatMap(({ stepId, residues }) =>
      (residues ?? []).map((residue) => ({ stepId, ...residue })),
    ),
    ...(await certifiedDumps(db, tenant)),
    tombstone: {
      slugReservedUntil:
        tenant.activatedAt && new Date(tenant.deletedAt.getTime() + QUARANTINE_DAYS * DAY_MS).toISOString(),
    },
  };
  return { certificate, operationId: operation.id };
}

/** A deletion that succeeded: its close was refused while the ledger held anything. */
function hasRemovedAll({ type, state }: OperationRow): boolean {
  return state === 'succeeded' && operationTable[type].target === 'nothing';
}

function askedFor({ id, type, caller, acceptedAt, closedAt }: OperationRow): Certificate['operation'] {
  if (!closedAt) throw new Error(`operation ${id} succeeded and is not closed`);
  return {
    operationId: id,
    type,
    askedBy: caller && { principal: caller.principal, role: caller.role, requestId: caller.requestId },
    askedAt: acceptedAt.toISOString(),
    closedAt: closedAt.toISOString(),
  };
}

function resourceOf({ stepId, type, name, physicalId, madeAt, absentAt }: LedgerRow): CertifiedResource {
  if (!absentAt) throw new Error(`${type} ${name} of step ${stepId} was not seen absent`);
  return { stepId, type, name, physicalId, madeAt: madeAt?.toISOString() ?? null, absentAt: absentAt.toISOString() };
}

/** Undefined: it deleted none. */
function deletedRowsOf(
  { kinds }: Catalog,
  { kind, outputs, removal, removedAt, stepId }: StepRow,
): CertifiedRows | undefined {
  const found = kinds.kinds.get(kind)?.deletedRows?.(removal ?? {}, outputs ?? {});
  return found && removedAt ? { stepId, ...found, absentAt: removedAt.toISOString() } : undefined;
}

function notDeleted({ id, status }: TenantRow, noun: string): RequestError {
  const why = status === 'deleted' ? 'nothing of it was left to remove' : `its status is ${status}`;
  return new RequestError('CERTIFICATE_NOT_FOUND', `there is no certificate of ${noun} ${id}: ${why}`, {
    details: { tenantId: id, status },
  });
}
