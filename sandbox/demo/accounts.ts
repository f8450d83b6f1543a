import type { ApiClient } from '../../src/cli/api-client.ts';
import { cloudTypes, type CloudType } from '../../src/products/accounts/cloud-types.ts';
import { takeInventory } from '../inventory/inventory.ts';
import type { Parts } from '../stack/parts.ts';
import { apiOf } from './clients.ts';
import { createAccount, deleteAccount } from './account.ts';
import { changedLicenses } from './account-settings.ts';
import { openRows, type Rows } from './account-rows.ts';
import { proveCertificate } from './certificate.ts';
import { compare, printInventories, printTenant } from './inventories.ts';
import { failed, printDurations } from './printing.ts';
import { follow, type Finished } from './provision.ts';

/** An account that is active, and what it is seen by. */
interface Scene {
  readonly api: ApiClient;
  readonly parts: Parts;
  readonly rows: Rows;
  readonly account: Finished;
  readonly tier: CloudType;
}

interface Chapter {
  readonly title: string;
  /** Answers whether it went as it has to; what did not is printed. */
  readonly play: (scene: Scene) => Promise<boolean>;
}

/** All that happens to an account between its first day and its last, in this order. */
const chapters: readonly Chapter[] = [
  { title: 'rows written and read through the router', play: useRows },
  { title: 'one license less, one more', play: changeLicenses },
  { title: 'the public account moved to a table of its own', play: moveAccount },
  { title: 'its rows are what they were', play: ({ account, rows }) => rows.areThere(account.tenantId) },
];

/**
 * An account of each tier there and back: made, used through the router, changed, removed, and the inventories of before and after
 * compared. Answers the exit code.
 */
export async function accountsThereAndBack({ parts }: { readonly parts: Parts }): Promise<number> {
  const api = apiOf(parts);
  const take = () =>
    takeInventory({ gatewayUrl: parts.env.AWS_ENDPOINT_URL ?? '', databaseUrl: parts.oracleDatabaseUrl });
  const before = await take();
  const rows = openRows(parts);
  try {
    const scenes: Scene[] = [];
    for (const tier of cloudTypes) {
      const account = await createAccount(parts, api, tier);
      printDurations(account);
      if (account.status.status !== 'active') return failed(`the ${tier} account did not become active`, account);
      scenes.push({ api, parts, rows, account, tier });
    }
    for (const chapter of chapters) if (!(await playAll(scenes, chapter))) return 1;
    const between = await take();
    const deleted = await deleteAll(scenes);
    if (!deleted) return 1;
    const after = await take();
    printInventories({ before, between, after });
    printTenant(before, between);
    if (compare(before, after, deleted) > 0) return 1;
    console.log(
      '\n  There and back, an account of each tier: the inventory is what it was, but for the residues named.',
    );
    return 0;
  } finally {
    rows.close();
  }
}

async function playAll(scenes: readonly Scene[], { play, title }: Chapter): Promise<boolean> {
  console.log(`\n  ${title}`);
  for (const scene of scenes) if (!(await play(scene))) return false;
  return true;
}

async function useRows({ account, rows, tier }: Scene): Promise<boolean> {
  const table = await rows.write(account.tenantId);
  console.log(`  ${tier} account ${account.tenantId}: written to ${table}`);
  return rows.areThere(account.tenantId);
}

async function changeLicenses({ account, api, rows, tier }: Scene): Promise<boolean> {
  const licenses = changedLicenses();
  const accepted = await api.change(account.tenantId, { settings: { licenses }, onFailure: 'rollback' });
  if (!('operationId' in accepted)) {
    console.error('  there was nothing to carry out');
    return false;
  }
  const { status } = await follow(api, account.tenantId, accepted.operationId);
  const found = await rows.licenses(account.tenantId);
  console.log(`  licenses of the ${tier} account: ${found.join(', ')}`);
  return status.operation.state === 'succeeded' && found.join() === licenses.map(({ serviceId }) => serviceId).join();
}

async function moveAccount({ account, api, rows, tier }: Scene): Promise<boolean> {
  if (tier === 'private') return true;
  const accepted = await api.migrate(account.tenantId, { tier: 'private' });
  if (!('operationId' in accepted)) {
    console.error('  there was nothing to carry out');
    return false;
  }
  const { status } = await follow(api, account.tenantId, accepted.operationId);
  // Before anything is written to the new table: what is read there was brought over.
  if (status.operation.state !== 'succeeded' || !(await rows.areThere(account.tenantId))) return false;
  const table = await rows.write(account.tenantId);
  console.log(`  account ${account.tenantId}: written to ${table}`);
  return table.endsWith(account.tenantId);
}

/** Both go; answers the events of both deletions, undefined when something did not go as it has to. */
async function deleteAll(scenes: readonly Scene[]): Promise<Pick<Finished, 'events'> | undefined> {
  const events = [];
  for (const { account, api, parts, rows, tier } of scenes) {
    console.log(`\n  the ${tier} account removed`);
    const deleted = await deleteAccount(parts, api, account.tenantId);
    printDurations(deleted);
    if (deleted.status.status !== 'deleted') {
      failed(`the ${tier} account was not deleted`, deleted);
      return undefined;
    }
    if (!(await proveCertificate(api, deleted.tenantId)) || !(await rows.areRefused(account.tenantId)))
      return undefined;
    events.push(...deleted.events);
  }
  return { events };
}
