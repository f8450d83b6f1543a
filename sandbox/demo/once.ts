import { randomBytes } from 'node:crypto';
import { loadCatalog } from '../../src/catalog/load.ts';
import { catalogFileOf } from '../../src/config.ts';
import { isBuiltIn } from '../../src/kinds/built-in.ts';
import { takeInventory, unlistedOf } from '../inventory/inventory.ts';
import type { Parts } from '../stack/parts.ts';
import { apiOf } from './clients.ts';
import { createTenant, deleteTenant, demoProduct, type DemoProduct, type Finished } from './provision.ts';
import { failed, printDurations } from './printing.ts';
import { compare, printInventories, printTenant } from './inventories.ts';
import { proveCertificate } from './certificate.ts';
import { startProber } from './prober.ts';
import { askTenant } from './tenant-address.ts';
import { wholeLife, type Scene } from './whole-life.ts';

/**
 * A tenant there and back: provisioned, its address asked, removed, and the inventories of before and after compared.
 * Answers the exit code.
 */
export async function thereAndBack({ parts, product }: { parts: Parts; product: string | undefined }): Promise<number> {
  const api = apiOf(parts);
  const take = () =>
    takeInventory({ gatewayUrl: parts.env.AWS_ENDPOINT_URL ?? '', databaseUrl: parts.oracleDatabaseUrl });
  const before = await take();
  const whose = await demoProduct(product);
  const created = await createTenant(api, whose, `once-${randomBytes(3).toString('hex')}`);
  printDurations(created);
  if (created.status.status !== 'active') return failed('the tenant did not become active', created);
  const answered = await proveAddress(parts, whose, created);
  const between = await take();
  if (!(await changeIt(parts, { api, parts, whose, tenant: created }))) return 1;
  console.log('\n  removed');
  const deleted = await deleteTenant(api, created.tenantId, created.slug);
  printDurations(deleted);
  if (deleted.status.status !== 'deleted') return failed('the tenant was not deleted', deleted);
  if (!(await proveCertificate(api, deleted.tenantId))) return 1;
  const after = await take();
  printInventories({ before, between, after });
  printTenant(before, between);
  const unexplained = compare(before, after, deleted);
  if (!answered || unexplained > 0) return 1;
  console.log('\n  There and back: the inventory is what it was, but for the residues named.');
  const unlisted = unlistedOf(await typesOfOthers());
  if (unlisted.length > 0)
    console.log(
      `  It cannot list ${unlisted.join(', ')}: whether any of that is left is not known; tenantry test says so, with listers of your own.`,
    );
  return 0;
}

/** Types of the ledger that kinds of the installation's own make. */
async function typesOfOthers(): Promise<string[]> {
  const { kinds } = await loadCatalog(catalogFileOf(process.env));
  const others = [...kinds.kinds.values()].filter((kind) => !isBuiltIn(kind));
  return others.flatMap(({ types }) => Object.keys(types));
}

/** Everything that operators do to a tenant, while its address is asked ten times a second. */
async function changeIt(parts: Parts, scene: Omit<Scene, 'prober'>): Promise<boolean> {
  const { tenantUrl } = scene.tenant.status;
  const prober = tenantUrl === null ? undefined : startProber(parts.platform, new URL(tenantUrl).host, '/api/tenant');
  try {
    return (await wholeLife({ ...scene, prober })) !== undefined;
  } finally {
    await prober?.stop();
  }
}

async function proveAddress(
  parts: Parts,
  { hasSchema }: DemoProduct,
  { status, tenantId }: Finished,
): Promise<boolean> {
  if (status.tenantUrl === null) return true;
  const host = new URL(status.tenantUrl).host;
  const answer = await askTenant(parts.platform, host, '/api/tenant');
  console.log(`\n  ${status.tenantUrl}/api/tenant answers ${answer.status}: ${answer.body.trim()}`);
  const schema = hasSchema ? `tenant_${tenantId.replaceAll('-', '')}` : '';
  const own = answer.status === 200 && answer.body.includes(tenantId) && answer.body.includes(schema);
  if (!own) console.error('  That is not an answer from this tenant and its own schema.');
  return own;
}
