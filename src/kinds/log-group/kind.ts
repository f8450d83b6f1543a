import { z } from 'zod';
import { defineKind, type Found } from '../framework/define-kind.ts';
import { changedFields } from '../framework/differences.ts';
import { text } from '../framework/values.ts';
import { logGroupType } from './type.ts';

interface Group extends Found {
  readonly retentionDays: number | undefined;
}

/** A CloudWatch log group with its retention. */
export const logGroup = defineKind({
  name: 'log-group',
  type: 'logs:log-group',
  noun: 'log group',
  swept: logGroupType,
  changeable: ['retentionDays'],
  spec: z.strictObject({ name: text, retentionDays: z.int().positive() }),
  outputs: z.strictObject({ name: z.string() }),
  inCell: ({ name }, within) => within.tenantName(name, '/ecs/'),
  permissions: [
    'logs:DescribeLogGroups',
    'logs:ListTagsForResource',
    'logs:CreateLogGroup',
    'logs:TagResource',
    'logs:PutRetentionPolicy',
    'logs:DeleteLogGroup',
  ],
  namedBy: ({ name }) => name,
  nameOf: ({ spec }) => spec.name,
  async find({ aws }, name) {
    const found = await aws.logs.findLogGroup(name);
    return found && { ...found, physicalId: found.arn };
  },
  async create({ aws, tags }, name): Promise<Group> {
    await aws.logs.createLogGroup(name, tags);
    return { physicalId: undefined, tags, retentionDays: undefined };
  },
  async converge({ aws, spec }, { retentionDays }: Group) {
    if (retentionDays !== spec.retentionDays) await aws.logs.setRetention(spec.name, spec.retentionDays);
  },
  differs: ({ spec }, { retentionDays }) => changedFields({ retentionDays: [spec.retentionDays, retentionDays] }),
  outputsOf: ({ spec }) => ({ name: spec.name }),
  deletesByName: true,
  idIn: ({ name }) => name,
  remove: ({ aws, spec }) => aws.logs.deleteLogGroup(spec.name),
});
