import {
  AddTagsToResourceCommand,
  DeleteParameterCommand,
  GetParameterCommand,
  ParameterAlreadyExists,
  ParameterNotFound,
  PutParameterCommand,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import { z } from 'zod';
import { HandlerError, type ResourceCall, type ResourceType } from './type.ts';

const shape = z.object({
  Type: z.enum(['String', 'StringList'], 'SecureString is no type that CloudFormation makes'),
  Value: z.coerce.string().min(1),
  Name: z.string().optional(),
  Description: z.string().optional(),
  AllowedPattern: z.string().optional(),
  Tags: z.record(z.string(), z.string()).optional(),
});

/** `AWS::SSM::Parameter` */
export const ssmParameter: ResourceType = {
  known: ['Type', 'Value', 'Name', 'Description', 'AllowedPattern', 'DataType', 'Policies', 'Tags', 'Tier'],
  replacing: ['Name'],
  named: 'Name',
  isTagged: true,
  async create(call) {
    const { input, tags } = inputOf(call);
    const Name = input.Name;
    try {
      await call.clients.ssm.send(new PutParameterCommand({ ...input, Tags: tagList(tags) }));
    } catch (error) {
      if (!(error instanceof ParameterAlreadyExists)) throw error;
      throw new HandlerError(
        'AlreadyExists',
        `Resource of type 'AWS::SSM::Parameter' with identifier '${Name}' already exists.`,
      );
    }
    return made(Name, input);
  },
  async update(call) {
    const { input, tags } = inputOf(call);
    const { ssm } = call.clients;
    const differs = Object.entries(call.properties).some(
      ([name, value]) => name !== 'Tags' && call.before[name] !== value,
    );
    if (!(await isThere(ssm, call.physicalId)))
      throw new HandlerError(
        'NotFound',
        `Resource of type 'AWS::SSM::Parameter' with identifier '${call.physicalId}' was not found.`,
      );
    // Each PutParameter makes a version.
    if (differs) await ssm.send(new PutParameterCommand({ ...input, Name: call.physicalId, Overwrite: true }));
    await ssm.send(
      new AddTagsToResourceCommand({ ResourceType: 'Parameter', ResourceId: call.physicalId, Tags: tagList(tags) }),
    );
    return made(call.physicalId, input);
  },
  async remove({ clients, physicalId }) {
    try {
      await clients.ssm.send(new DeleteParameterCommand({ Name: physicalId }));
    } catch (error) {
      if (!(error instanceof ParameterNotFound)) throw error;
    }
  },
};

async function isThere(client: SSMClient, Name: string): Promise<boolean> {
  try {
    await client.send(new GetParameterCommand({ Name }));
    return true;
  } catch (error) {
    if (error instanceof ParameterNotFound) return false;
    throw error;
  }
}

function inputOf({ generatedName, properties, tags }: ResourceCall) {
  const parsed = shape.safeParse(properties);
  if (!parsed.success) throw new HandlerError('InvalidRequest', z.prettifyError(parsed.error));
  const { Tags = {}, Name = generatedName, ...rest } = parsed.data;
  return { input: { ...rest, Name }, tags: { ...tags, ...Tags } };
}

function made(physicalId: string, { Type, Value }: z.infer<typeof shape>) {
  return { physicalId, attributes: { Type, Value } };
}

function tagList(tags: Readonly<Record<string, string>>) {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
