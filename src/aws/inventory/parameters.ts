import type { ParameterMetadata, SSMClient } from '@aws-sdk/client-ssm';
import type { SweptItem, TypeList } from '../../contracts/sweep.ts';
import { hasTenantId } from '../../naming.ts';
import { sent } from '../errors.ts';
import { describePage, findParameterTags, markOf } from '../ssm-looks.ts';
import { INSTALLATION_TAG, STACK_TAG, type Tags } from '../tags.ts';
import { allPages, retryTransient } from './pages.ts';

/**
 * Parameters of tenants: those whose names hold a tenant's id. Others write below the same paths (a stack, for one), so one without any
 * mark is left out unless the ledger holds it. Tags cost a call each: of those that the ledger does not hold.
 */
export function parameterList(client: SSMClient): TypeList {
  return {
    async list(isHeld) {
      const items: SweptItem[] = [];
      for (const parameter of await allPages((token) => describePage(client, undefined, token))) {
        const name = nameOf(parameter);
        if (!hasTenantId(name)) continue;
        if (isHeld(type, name, arnOf(parameter))) items.push(toItem(parameter, undefined));
        else items.push(...(await withTags(client, parameter)).filter(isMarked));
      }
      return items;
    },
    async find({ name }) {
      const found = await allPages((token) => describePage(client, [name], token));
      const parameter = found.find((one) => one.Name === name);
      return parameter && (await withTags(client, parameter))[0];
    },
  };
}

const type = 'ssm:parameter';
const call = { service: 'ssm', action: 'DescribeParameters' };

/** Empty: it went between the two calls. */
async function withTags(client: SSMClient, parameter: ParameterMetadata): Promise<SweptItem[]> {
  const tags = await retryTransient(() => findParameterTags(client, nameOf(parameter)));
  return tags ? [toItem(parameter, markOf(tags, parameter))] : [];
}

/** What a tenant's stack made has its mark, and is the stack's. */
function isMarked({ tags = {} }: SweptItem): boolean {
  return tags[INSTALLATION_TAG] !== undefined && tags[STACK_TAG] === undefined;
}

const nameOf = (raw: ParameterMetadata): string => sent(raw.Name, call, 'Parameters[].Name');
const arnOf = (raw: ParameterMetadata): string => sent(raw.ARN, call, 'Parameters[].ARN');

function toItem(raw: ParameterMetadata, tags: Tags | undefined): SweptItem {
  const physicalId = arnOf(raw);
  const { Type: is, Version: version, LastModifiedDate: modifiedAt } = raw;
  return {
    type,
    physicalId,
    name: nameOf(raw),
    tags,
    createdAt: version === 1 ? modifiedAt : undefined,
    passing: undefined,
    seen: { physicalId, tags, type: is, version, modifiedAt },
  };
}
