import { randomBytes } from 'node:crypto';
import { loadCatalog } from '../../src/catalog/load.ts';
import { certificateAnswer } from '../../src/api/schemas.ts';
import { forgeryIn } from '../../src/certificates/signature.ts';
import { createApiClient, type ApiClient } from '../../src/cli/api-client.ts';
import { catalogFileOf } from '../../src/config.ts';
import { isBuiltIn } from '../../src/kinds/built-in.ts';
import {
  describeChange,
  describeItem,
  difference,
  renderDifference,
  takeInventory,
  unlistedOf,
  type InventoryItem,
} from '../inventory/inventory.ts';
import { formatDuration } from '../parts/log.ts';
import type { Parts } from '../stack/parts.ts';
import { createTenant, deleteTenant, demoProduct, type DemoProduct, type Finished } from './provision.ts';
import { isResidue, residuesOf } from './residues.ts';
import { stepDurations } from './step-durations.ts';
import { startProber } from './prober.ts';
import { askTenant } from './tenant-address.ts';
import { wholeLife, type Scene } from './whole-life.ts';

/**
 * A tenant there and back: provisioned, its address asked, removed, and the inventories of before and after compared.
 * Answers the exit code.
 */
export async function thereAndBack({ parts, product }: { parts: Parts; product: string | undefined }): Promise<number> {
  const api = createApiClient(parts.env.TENANTRY_API_URL ?? '');
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

/** What the installation certifies of the deletion, checked as its reader would. */
async function proveCertificate(api: ApiClient, tenantId: string): Promise<boolean> {
  const signed = await api.certificate(tenantId);
  const forgery = await forgeryIn(signed, await api.keys());
  const {
    resources,
    residues,
    finalDump,
    finalDumps = [],
  } = certificateAnswer.shape.certificate.parse(signed.certificate);
  console.log(
    `\n  certificate: ${resources.length} resources were seen absent, ${residues.length} residues stay until they expire or AWS forgets them; ` +
      (forgery === undefined ? "signed with the installation's key" : `NOT genuine: ${forgery}`),
  );
  for (const dump of finalDumps)
    console.log(
      dump.kept
        ? `    final dump of ${dump.stepId}: ${dump.tables} tables, ${dump.rows} rows, ${dump.bytes} bytes, until ${dump.expiresAt}, s3://${dump.bucket}/${dump.manifest}`
        : `    no final dump of ${dump.stepId}: ${dump.why}`,
    );
  if (finalDump?.kept !== true) console.log(`    no final dump: ${finalDump?.why ?? 'not known'}`);
  return forgery === undefined;
}

function compare(before: readonly InventoryItem[], after: readonly InventoryItem[], deleted: Finished): number {
  const { added, removed, changed } = difference(before, after);
  const residues = residuesOf(deleted.events);
  const explained = added.filter((item) => isResidue(item, residues));
  const unexplained = added.filter((item) => !isResidue(item, residues));
  for (const item of explained) console.log(`    residue ${describeItem(item)}`);
  for (const { type, name, reason, expiresAt } of residues)
    console.log(`      named by Tenantry: ${type} ${name}: ${reason}${expiresAt ? `, until ${expiresAt}` : ''}`);
  for (const item of unexplained) console.error(`  + LEAKED ${describeItem(item)}`);
  for (const item of removed) console.error(`  - GONE   ${describeItem(item)}`);
  for (const change of changed) console.error(`  ~ OTHER  ${describeChange(change)}`);
  return unexplained.length + removed.length + changed.length;
}

/** What being active added. */
function printTenant(before: readonly InventoryItem[], between: readonly InventoryItem[]): void {
  console.log('  what the tenant was made of');
  console.log(renderDifference(difference(before, between)).replace(/^/gm, '    '));
  console.log();
}

interface Inventories {
  readonly before: readonly InventoryItem[];
  /** While the tenant was active. */
  readonly between: readonly InventoryItem[];
  readonly after: readonly InventoryItem[];
}

/** How many things there were of each kind, at the three moments. */
function printInventories({ before, between, after }: Inventories): void {
  const kinds = [...new Set([...before, ...between, ...after].map((item) => item.kind))].sort();
  const count = (items: readonly InventoryItem[], kind: string) => items.filter((item) => item.kind === kind).length;
  const row = (name: string, ...cells: (string | number)[]) =>
    console.log(`    ${name.padEnd(30)}${cells.map((cell) => String(cell).padStart(9)).join('')}`);
  console.log('\n  the inventory of AWS and PostgreSQL');
  row('', 'before', 'active', 'after');
  for (const kind of kinds) row(kind, count(before, kind), count(between, kind), count(after, kind));
  row('all', before.length, between.length, after.length);
  console.log();
}

/** On a terminal the live lines have said it. */
function printDurations({ events }: Finished): void {
  if (process.stdout.isTTY) return;
  console.log('\n  how long each step took');
  for (const { stepId, durationMs } of stepDurations(events))
    console.log(`    ${stepId.padEnd(34)} ${formatDuration(durationMs)}`);
}

function failed(what: string, { status }: Finished): number {
  console.error(`\n  ${what}: status ${status.status}, operation ${status.operation.state}`);
  if (status.error) console.error(`  ${status.error.code}: ${status.error.message} ${status.error.detail ?? ''}`);
  for (const left of status.leftovers ?? []) console.error(`  left: ${left.type} ${left.name}: ${left.reason}`);
  return 1;
}
