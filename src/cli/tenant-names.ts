import { hasIdForm, parseTenantName, PRODUCT_SEPARATOR, tenantNameText } from '../contracts/tenant-name.ts';
import { ApiError, type ApiClient, type Tenant } from './api-client.ts';
import type { Common, Context } from './context.ts';

/** What names no tenant, or several. `usage`: the name itself is at fault. */
export class TenantNameError extends Error {
  override readonly name = 'TenantNameError';
  readonly fault: 'usage' | 'not-found';
  readonly code: 'TENANT_NAME_INVALID' | 'TENANT_NAME_AMBIGUOUS' | 'TENANT_NOT_FOUND';
  constructor(code: TenantNameError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.fault = code === 'TENANT_NOT_FOUND' ? 'not-found' : 'usage';
  }
}

/**
 * The id of a tenant that is named by id, slug, `product/slug` or, as the API has it, `product~slug`. The API says which tenant a slug
 * means; what follows is about that one, even if the slug becomes another's meanwhile. Says to people when earlier tenants had it.
 * @throws TenantNameError when there is none, or when several products have one
 */
export async function findTenantId({ api, terminal }: Context, name: string, options: Common): Promise<string> {
  if (hasIdForm(name)) return name;
  const named = parseTenantName(name.replace('/', PRODUCT_SEPARATOR));
  if (!named || 'id' in named)
    throw new TenantNameError('TENANT_NAME_INVALID', `"${name}" is no tenant's id, slug or product/slug`);
  const tenant = await api.get(tenantNameText(named)).catch((error: unknown) => {
    throw nameErrorOf(error, name);
  });
  if (options.json !== true) await noteEarlier(api, tenant, (note) => terminal.err.write(`note: ${name} ${note}\n`));
  return tenant.tenantId;
}

function nameErrorOf(error: unknown, name: string): unknown {
  if (!(error instanceof ApiError)) return error;
  if (error.code === 'TENANT_NOT_FOUND') {
    const message = `there is no tenant ${name}; \`tenantry tenants list --all\` shows all`;
    return new TenantNameError(error.code, message, { cause: error });
  }
  if (error.code === 'TENANT_NAME_AMBIGUOUS')
    return new TenantNameError(error.code, error.message.replaceAll(PRODUCT_SEPARATOR, '/'), { cause: error });
  return error;
}

const LONGEST_PAGE = '200';

async function noteEarlier(api: ApiClient, { tenantId, product, slug }: Tenant, note: (text: string) => void) {
  const { tenants, nextCursor } = await api.list({ product, slug, limit: LONGEST_PAGE });
  const earlier = tenants.length - 1;
  if (earlier < 1) return;
  const had =
    nextCursor === null && earlier === 1
      ? 'an earlier one'
      : `${earlier}${nextCursor === null ? '' : ' or more'} earlier ones`;
  note(
    `is tenant ${tenantId}; ${had} had this slug: ` +
      `\`tenantry tenants list --product ${product} --slug ${slug} --all\` shows their ids, which name them`,
  );
}
