import { createHash } from 'node:crypto';
import type { KnownOwner } from './contracts/sweep.ts';
import { stableJson } from './contracts/stable-json.ts';

/** Name of a tenant's schema and of its login role (requirement U-19): a slug can be used again, a tenant id cannot. */
export function schemaName(tenantId: string): string {
  return `tenant_${tenantId.replaceAll('-', '')}`;
}

/** Name of the login role that a tenant's services use beside the owner of its schema: another one for each number. */
export function loginName(tenantId: string, number: number): string {
  return `${schemaName(tenantId)}_${number}`;
}

/** Names that {@link loginName} gives. */
export const loginPattern = /^tenant_[0-9a-f]{32}_[0-9]+$/;

export function isLoginNameOf(name: string, tenantId: string): boolean {
  return loginPattern.test(name) && name.startsWith(`${schemaName(tenantId)}_`);
}

/**
 * Name of the target group of a tenant's component: at most 32 characters, letters, digits and hyphens (ELBv2).
 * @param component a label of at most 18 characters
 */
export function targetGroupName(installationId: string, tenantId: string, component: string): string {
  return `${targetGroupPrefix(installationId, tenantId)}${targetGroupSuffix(component)}`;
}

function targetGroupSuffix(component: string): string {
  return component === 'backend' ? 'be' : component === 'frontend' ? 'fe' : component;
}

/** Names that {@link targetGroupName} gives. */
export const targetGroupPattern = /^t-[0-9a-f]{10}-[a-z](?:[a-z0-9-]{0,16}[a-z0-9])?$/;

export function isTargetGroupNameOf(name: string, installationId: string, tenantId: string): boolean {
  return targetGroupPattern.test(name) && name.startsWith(targetGroupPrefix(installationId, tenantId));
}

/** What the names of all target groups of a tenant begin with, and of no other. */
export function targetGroupPrefix(installationId: string, tenantId: string): string {
  return `t-${sha256(installationId + tenantId).slice(0, 10)}-`;
}

/**
 * Idempotency token of a step's call (design rule 11): 32 characters, the same for every attempt of a generation.
 * `part` tells several calls of one step apart.
 */
export function requestToken(operationId: string, stepId: string, generation: number, part = ''): string {
  return sha256(JSON.stringify([operationId, stepId, generation, part])).slice(0, 32);
}

export interface Ownership {
  readonly installationId: string;
  readonly tenantId: string;
  readonly product: string;
  readonly operationId: string;
  readonly stepId: string;
}

/** Tags of everything that is made for a tenant (design rule 3). */
export function ownershipTags(ownership: Ownership): Record<string, string> {
  return {
    'tenantry:installation': ownership.installationId,
    'tenantry:tenant-id': ownership.tenantId,
    'tenantry:product': ownership.product,
    'tenantry:operation-id': ownership.operationId,
    'tenantry:step': ownership.stepId,
  };
}

/** The inverse, as far as tags say it: what a mark tells of who made a thing. */
export function ownerIn(tags: Readonly<Record<string, string>>): KnownOwner {
  return {
    installationId: tags['tenantry:installation'],
    tenantId: tags['tenantry:tenant-id'],
    product: tags['tenantry:product'],
    operationId: tags['tenantry:operation-id'],
    stepId: tags['tenantry:step'],
  };
}

/** The mark for what has no tags (comments in PostgreSQL, TXT records): all of design rule 3 in one line. */
export function ownershipMarker(ownership: Ownership): string {
  const { installationId, tenantId, product, operationId, stepId } = ownership;
  return ['tenantry', installationId, tenantId, product, operationId, stepId].join(':');
}

/** The same of what tags say. */
export function markerOfTags(tags: Readonly<Record<string, string>>): string {
  const { installationId = '', tenantId = '', product = '', operationId = '', stepId = '' } = ownerIn(tags);
  return ownershipMarker({ installationId, tenantId, product, operationId, stepId });
}

/** The inverse of {@link ownershipMarker}; undefined when the text is not one of ours. */
export function parseOwnershipMarker(text: string): Ownership | undefined {
  // The step comes last because its id may hold colons.
  const match = /^tenantry:([0-9a-f-]{36}):([0-9a-f-]{36}):([a-z0-9-]+):([0-9a-f-]{36}):(.+)$/.exec(text);
  const [, installationId, tenantId, product, operationId, stepId] = match ?? [];
  if (!installationId || !tenantId || !product || !operationId || !stepId) return undefined;
  return { installationId, tenantId, product, operationId, stepId };
}

/**
 * Name of a tenant's stack of CloudFormation (requirement R-CFN-05).
 * @param prefix letters, digits and hyphens, a letter first, at most 91 of them: AWS allows 128 characters
 */
export function stackName(prefix: string, tenantId: string): string {
  return `${prefix}-${tenantId}`;
}

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/** Names that {@link stackName} gives. */
export const stackPattern = new RegExp(`^[A-Za-z][A-Za-z0-9-]{0,90}-${uuid}$`);

export function isStackNameOf(name: string, tenantId: string): boolean {
  return stackPattern.test(name) && name.endsWith(`-${tenantId}`);
}

/** An id of a tenant, as a word of a longer text: part of a pattern. */
export const tenantIdWord = `(?<![A-Za-z0-9])${uuid}(?![A-Za-z0-9])`;
const tenantIds = new RegExp(tenantIdWord, 'g');

/** Whether a text holds an id that may be a tenant's. */
export function hasTenantId(text: string): boolean {
  return text.search(tenantIds) >= 0;
}

/** Whether a text holds this tenant's id, and no other's. */
export function isOfTenantAlone(text: string, tenantId: string): boolean {
  const ids = text.match(tenantIds) ?? [];
  return ids.length > 0 && ids.every((id) => id === tenantId);
}

/** Name of an item of DynamoDB: its table, then the values of its key. */
export function itemName(table: string, partition: string | number, sort?: string | number): string {
  const escaped = (value: string | number) => String(value).replaceAll('%', '%25').replaceAll('/', '%2F');
  return [table, escaped(partition), ...(sort === undefined ? [] : [escaped(sort)])].join('/');
}

/** The inverse of {@link itemName}. */
export function itemNameParts(name: string): { table: string; partition: string; sort: string | undefined } {
  const plain = (text: string) => text.replaceAll('%2F', '/').replaceAll('%25', '%');
  const [table = '', partition = '', sort] = name.split('/');
  return { table, partition: plain(partition), sort: sort === undefined ? undefined : plain(sort) };
}

/** All secrets of a tenant have names that begin with this. */
export function secretPrefix(installationId: string, tenantId: string): string {
  return `tenantry/${installationId}/${tenantId}/`;
}

/** Name of a tenant's secret, of the step that makes it. */
export function secretName(installationId: string, tenantId: string, stepId: string): string {
  return secretPrefix(installationId, tenantId) + stepId.replaceAll(':', '/');
}

/** SHA-256 (hex) of a value that JSON can hold; the order of keys does not matter. */
export function contentHash(value: unknown): string {
  return sha256(stableJson(value));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
