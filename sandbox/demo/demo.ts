import { createApiClient } from '../../src/cli/api-client.ts';
import { caFile } from '../stack/env-file.ts';
import type { Parts } from '../stack/parts.ts';
import { createTenant, freeSlug } from './provision.ts';
import { askTenant, curlCommand } from './tenant-address.ts';

/** Provisions a demo tenant before the eyes of whoever started the sandbox, and says how to reach it. */
export async function demo({ parts, directory }: { parts: Parts; directory: string }): Promise<void> {
  const api = createApiClient(parts.env.TENANTRY_API_URL ?? '');
  const slug = await freeSlug(api, 'acme');
  const created = await createTenant(api, slug);
  if (created.status.status !== 'active') {
    console.log(
      `\n  The demo tenant is ${created.status.status}: ${created.status.error?.message ?? created.status.operation.state}`,
    );
    return;
  }
  const { tenantUrl } = created.status;
  if (tenantUrl === null) return;
  const host = new URL(tenantUrl).host;
  const answer = await askTenant(parts.platform, host, '/api/tenant');
  console.log(`\n  ${tenantUrl}/api/tenant answers ${answer.status}: ${answer.body.trim()}`);
  console.log(`  ${curlCommand(parts.platform, host, '/api/tenant', caFile(directory))}`);
}
