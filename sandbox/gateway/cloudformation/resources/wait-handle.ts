import type { ResourceType } from './type.ts';

/** `AWS::CloudFormation::WaitConditionHandle`: it makes nothing. */
export const waitHandle: ResourceType = {
  known: [],
  replacing: [],
  isTagged: false,
  create: ({ generatedName }) => Promise.resolve({ physicalId: generatedName, attributes: {} }),
  update: ({ physicalId }) => Promise.resolve({ physicalId, attributes: {} }),
  remove: () => Promise.resolve(),
};
