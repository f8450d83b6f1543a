import { caFile } from '../stack/env-file.ts';
import type { Parts } from '../stack/parts.ts';
import { apiOf } from './clients.ts';
import { createTenant, demoProduct, freeSlug } from './provision.ts';
import { askTenant, curlCommand } from './tenant-address.ts';

/** Provisions a demo tenant before the eyes of whoever started the sandbox, and says how to reach it. @returns its id */
export async function demo(given: { parts: Parts; directory: string; product: string | undefined }): Promise<string> {
  const { parts, directory } = given;
  const api = apiOf(parts);
  const product = await demoProduct(given.product);
  const slug = await freeSlug(api, product.product, 'acme');
  const created = await createTenant(api, product, slug);
  if (created.status.status !== 'active') {
    console.log(
      `\n  The demo tenant is ${created.status.status}: ${created.status.error?.message ?? created.status.operation.state}`,
    );
    return created.tenantId;
  }
  const { tenantUrl } = created.status;
  if (tenantUrl === null) return created.tenantId;
  const host = new URL(tenantUrl).host;
  const answer = await askTenant(parts.platform, host, '/api/tenant');
  console.log(`\n  ${tenantUrl}/api/tenant answers ${answer.status}: ${answer.body.trim()}`);
  console.log(`  ${curlCommand(parts.platform, host, '/api/tenant', caFile(directory))}`);
  return created.tenantId;
}
