import type { Cell } from '../../contracts/platform.ts';
import { plainZoneId } from '../../formats.ts';
import { imageByDigest, imageRepository } from '../../images.ts';
import { isOfTenantAlone, secretPrefix } from '../../naming.ts';

/** Whose step it is, and where it may work. */
export interface Bounds {
  readonly cell: Cell;
  readonly installationId: string;
  readonly tenant: { readonly id: string; readonly slug: string; readonly product: string };
  /** What a removal and a way back are judged by: absent, only what the cell lists today counts. */
  readonly recorded?: Recorded | undefined;
}

/** What this installation itself recorded as the tenant's, when it accepted and made it. */
export interface Recorded {
  /** Null: the product's tenants have no host. */
  readonly hostName: string | null;
  readonly zoneIds: readonly string[];
  readonly loadBalancerArns: readonly string[];
  /** Listeners that the step took a rule's priority on. */
  readonly listenerArns: readonly string[];
}

/**
 * `make`: everything counts, by what the cell lists today. `take-away`: what only making reads (a template, roles) does not, and
 * what was recorded for the tenant counts as well: the platform's description may have moved on since. `bring-back`: as for a removal,
 * because what was applied was judged when it was made.
 */
export type Purpose = 'make' | 'bring-back' | 'take-away';

/**
 * Judges values of a spec by the cell and the tenant; every method answers what is wrong, as sentences, none when it is in order.
 * Workers trust no caller: the blueprint may name anything (design rule 13).
 */
export interface Within {
  readonly cell: Cell;
  readonly tenant: Bounds['tenant'];
  readonly purpose: Purpose;
  /** `<prefix><product>-<slug>`, with one more word at most: with two, one tenant could name another's (`a` and `a-b`). */
  tenantName(name: unknown, prefix?: string): string[];
  /** A text that holds the tenant's id as a word, and no other's: a path, a key. */
  tenantId(text: unknown): string[];
  slug(slug: unknown): string[];
  host(host: unknown): string[];
  /** `https://` and the tenant's host. */
  url(url: unknown): string[];
  zone(id: unknown): string[];
  loadBalancer(arn: unknown): string[];
  listener(arn: string): string[];
  database(id: unknown): string[];
  /** A DynamoDB table that tenants share, or the tenant's own: its name holds the tenant's id. */
  table(name: unknown): string[];
  templateService(name: unknown): string[];
  /** An image by its digest, of a repository that tenants may use. */
  image(reference: unknown): string[];
  /** ARN of a secret of the tenant's own. */
  secret(arn: unknown): string[];
}

/** Host name of a tenant, from the cell's description alone; undefined when the cell has no domain for the product. */
export function hostOf({ cell, tenant }: Pick<Bounds, 'cell' | 'tenant'>): string | undefined {
  const domain = cell.domains[tenant.product];
  return domain === undefined ? undefined : `${tenant.slug}.${domain}`;
}

export function within({ cell, installationId, tenant, recorded: known }: Bounds, purpose: Purpose): Within {
  const recorded = purpose === 'make' ? undefined : known;
  const ownHost = known?.hostName === null ? undefined : (recorded?.hostName ?? hostOf({ cell, tenant }));
  const zoneIds = [cell.hostedZone.id, ...(recorded?.zoneIds ?? [])].map(plainZoneId);
  const loadBalancerArns = [...cell.loadBalancers.map((lb) => lb.arn), ...(recorded?.loadBalancerArns ?? [])];
  const listenerArns = [...cell.loadBalancers.map((lb) => lb.httpsListenerArn), ...(recorded?.listenerArns ?? [])];
  const templates = Object.values(cell.templateServices[tenant.product] ?? {});
  const isMaking = purpose === 'make';
  const isOwnText = (text: unknown) => typeof text === 'string' && isOfTenantAlone(text, tenant.id);
  return {
    cell,
    tenant,
    purpose,
    tenantName(name, prefix = '') {
      const own = `${prefix}${tenant.product}-${tenant.slug}`;
      const rest = typeof name === 'string' && name.startsWith(own) ? name.slice(own.length) : undefined;
      const isOwn = rest !== undefined && /^(-[a-z0-9]+)?$/.test(rest);
      return must(isOwn, `name ${show(name)} is not derived from the tenant`);
    },
    tenantId: (text) => must(isOwnText(text), `${show(text)} does not hold the tenant's id, or another's as well`),
    slug: (slug) => must(slug === tenant.slug, `slug ${show(slug)} is not the tenant's`),
    host: (host) => must(host !== undefined && host === ownHost, `host ${show(host)} is not the tenant's`),
    url: (url) => must(ownHost !== undefined && url === `https://${ownHost}`, `URL ${show(url)} is not the tenant's`),
    zone: (id) => must(zoneIds.includes(plainZoneId(String(id))), `zone ${show(id)} is not the cell's`),
    loadBalancer: (arn) =>
      must(loadBalancerArns.includes(String(arn)), `load balancer ${show(arn)} is none of the cell's`),
    listener: (arn) => must(listenerArns.includes(arn), `listener ${arn} is none of the cell's`),
    // For a removal the worker's connections decide: what it drops there bears the tenant's mark.
    database: (id) =>
      must(!isMaking || cell.tenantDatabases.some((d) => d.id === id), `database ${show(id)} is none of the cell's`),
    // What is removed of a table bears the tenant's mark.
    table: (name) =>
      must(
        !isMaking || isOwnText(name) || cell.sharedTables?.includes(String(name)) === true,
        `table ${show(name)} is neither one that the cell's tenants share nor the tenant's`,
      ),
    templateService: (name) =>
      must(
        !isMaking || (typeof name === 'string' && templates.includes(name)),
        `template service ${show(name)} is none of the cell's for ${tenant.product}`,
      ),
    image: (reference) =>
      must(
        !isMaking ||
          (imageByDigest.safeParse(reference).success &&
            cell.allowedImageRepositories.includes(imageRepository(String(reference)))),
        `image ${show(reference)} is not given by its digest, or of none of the cell's image repositories`,
      ),
    secret(arn) {
      const own = `:secret:${secretPrefix(installationId, tenant.id)}`;
      return must(typeof arn === 'string' && arn.includes(own), `secret ${show(arn)} is not the tenant's`);
    },
  };
}

/** The problem, unless all is in order. */
export function must(isInOrder: boolean, problem: string): string[] {
  return isInOrder ? [] : [problem];
}

function show(value: unknown): string {
  return value === undefined ? '(none)' : JSON.stringify(value);
}

/** The fields of an object of a spec, of which nothing is known. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** All texts in a value of a spec, at any depth. */
export function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}
