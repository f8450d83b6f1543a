import type { MarkedItem } from '../../aws/dynamodb-items.ts';
import { isOwnedBy, ownerOf, type Tags } from '../../aws/tags.ts';
import { StepError } from '../../contracts/step-error.ts';
import { defineKind } from '../framework/define-kind.ts';
import type { StepContext } from '../framework/kind.ts';
import { changeOf, itemDifferences, type WantedItem } from './changes.ts';
import {
  addressOf,
  itemOf,
  itemOutputs,
  itemSpec,
  keyValueIn,
  nameOf,
  type ItemOutputs,
  type ItemSpec,
} from './spec.ts';
import { itemType } from './type.ts';

type Found = Pick<MarkedItem, 'attributes' | 'names'> & { readonly physicalId: string; readonly tags: Tags };
type Context = StepContext<ItemSpec, ItemOutputs>;

/**
 * One item of a DynamoDB table. An attribute tells whose it is, every write has a condition on that, and every read is consistent: what a
 * refused condition means is looked at.
 */
export const dynamodbItem = defineKind({
  name: 'dynamodb-item',
  type: 'dynamodb:item',
  noun: 'item',
  swept: itemType,
  changeable: ['attributes', 'initial', 'otherAttributes', 'absent'],
  spec: itemSpec,
  outputs: itemOutputs,
  permissions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
  dataFields: ['attributes', 'initial'],
  inCell: ({ partitionKey, table }, within) => [...within.table(table), ...within.tenantId(keyValueIn(partitionKey))],
  namedBy: nameOf,
  nameOf: ({ spec }) => nameOf(spec),
  find: ({ aws, spec }, name) => find({ aws, spec }, name),
  async create(context, name): Promise<Found> {
    const { aws, spec, tags } = context;
    const attributes = { ...itemOf(spec.initial), ...itemOf(spec.attributes) };
    if (await aws.items.createItem(addressOf(spec), attributes, tags))
      return { physicalId: name, tags, attributes, names: Object.keys(attributes) };
    // Made by an attempt without an answer, or by somebody else: a look tells.
    const there = await find(context, name);
    if (there && isOwnedBy(there.tags, ownerOf(tags))) return there;
    throw new StepError('CONFLICT_RETRYABLE', `item ${name} was made by somebody else meanwhile`);
  },
  async converge(context, found: Found) {
    const { aws, spec } = context;
    const change = changeOf(await wantedBy(context), found);
    if (!change || (await aws.items.changeItem(addressOf(spec), found.tags, change))) return;
    throw new StepError('CONFLICT_RETRYABLE', `item ${found.physicalId} lost its mark, or went, while it was changed`);
  },
  differs: async (context, found) => itemDifferences(await wantedBy(context), found),
  outputsOf: ({ cell, spec }, { physicalId: name }) => ({
    name,
    table: `arn:aws:dynamodb:${cell.region}:${cell.accountId}:table/${spec.table}`,
    attributes: Object.keys(spec.attributes),
  }),
  idIn: ({ name }) => name,
  async remove(context, name) {
    const { aws, spec, tags } = context;
    const found = await find(context, name);
    if (!found || !isOwnedBy(found.tags, ownerOf(tags))) return;
    // Its very mark: one that was made anew meanwhile is another operation's.
    if (await aws.items.removeItem(addressOf(spec), found.tags)) return;
    throw new StepError('CONFLICT_RETRYABLE', `item ${name} lost its mark, or went, while it was removed`);
  },
});

async function find({ aws, spec }: Pick<Context, 'aws' | 'spec'>, name: string): Promise<Found | undefined> {
  const found = await aws.items.findItem(addressOf(spec));
  return found && { ...found, physicalId: name, tags: found.mark };
}

async function wantedBy({ otherSpec, previous, spec }: Context): Promise<WantedItem> {
  const other = await otherSpec?.();
  return {
    attributes: itemOf(spec.attributes),
    initial: Object.keys(spec.initial ?? {}),
    removesOthers: spec.otherAttributes === 'remove',
    absent: spec.absent ?? [],
    earlier: [...Object.keys(other?.attributes ?? {}), ...(previous.attributes ?? [])],
  };
}
