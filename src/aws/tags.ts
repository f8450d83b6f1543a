/** Tags as the rest of the code sees them. Each AWS service spells its own list; those spellings stay in this file. */
export type Tags = Readonly<Record<string, string>>;

/** Who a resource belongs to (design rule 3). */
export interface Owner {
  readonly installationId: string;
  readonly tenantId: string;
}

export const INSTALLATION_TAG = 'tenantry:installation';
export const TENANT_TAG = 'tenantry:tenant-id';
/** CloudFormation's own, on what a stack made: the id of the stack, whose tags it has as well. */
export const STACK_TAG = 'aws:cloudformation:stack-id';

/** The owner that a tag set names. @throws RangeError when the set holds no ownership mark */
export function ownerOf(tags: Tags): Owner {
  const owner = findOwner(tags);
  if (!owner) throw new RangeError(`the tag set names no ${INSTALLATION_TAG} and ${TENANT_TAG}`);
  return owner;
}

/** The owner that a tag set names; undefined when it holds no ownership mark. */
export function findOwner(tags: Tags): Owner | undefined {
  const installationId = tags[INSTALLATION_TAG];
  const tenantId = tags[TENANT_TAG];
  return installationId && tenantId ? { installationId, tenantId } : undefined;
}

/** Whether a resource's tags are those of this installation and this tenant. */
export function isOwnedBy(tags: Tags, owner: Owner): boolean {
  return isOfInstallation(tags, owner.installationId) && tags[TENANT_TAG] === owner.tenantId;
}

/** Whether a resource's tags are those of this installation, whichever tenant's. */
export function isOfInstallation(tags: Tags, installationId: string): boolean {
  return tags[INSTALLATION_TAG] === installationId;
}

/** What stands in a conflict's detail: who holds the thing, as far as its tags tell. */
export function describeHolder(tags: Tags): string {
  const installation = tags[INSTALLATION_TAG];
  if (!installation) return 'it carries no ownership mark of Tenantry';
  return `it belongs to tenant ${tags[TENANT_TAG] ?? '(none named)'} of installation ${installation}`;
}

/** `Key`/`Value` list (ELBv2, Secrets Manager, SES). */
export function keyValueList(tags: Tags): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** `key`/`value` list (ECS). */
export function lowerKeyValueList(tags: Tags): { key: string; value: string }[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}

/** Any of AWS's tag lists as a record. */
export function tagsOf(
  list: readonly { Key?: string; Value?: string; key?: string; value?: string }[] | undefined,
): Tags {
  const entries = (list ?? []).map((tag) => [tag.Key ?? tag.key, tag.Value ?? tag.value ?? ''] as const);
  return Object.fromEntries(entries.filter((entry): entry is readonly [string, string] => entry[0] !== undefined));
}
