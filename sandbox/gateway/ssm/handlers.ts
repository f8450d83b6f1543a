import { GetParameterCommand, ListTagsForResourceCommand, ParameterNotFound } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import { AwsError, withBody } from '../answer.ts';
import { readJson } from '../ecs/service-input.ts';
import type { Exclusion } from '../exclusion.ts';
import type { Handler } from '../pipeline.ts';
import { scopeKey, withJson, type Answer, type Call } from '../request.ts';
import type { Upstream } from '../upstream.ts';
import { invalid, putInput, refusePut } from './put-rules.ts';

export interface ParameterParts {
  readonly upstream: Upstream;
  readonly exclusion: Exclusion;
}

const filter = z.looseObject({ Key: z.string(), Values: z.array(z.string()).optional() });
const describeInput = z.looseObject({ MaxResults: z.int().optional(), ParameterFilters: z.array(filter).optional() });
const describeAnswer = z.looseObject({ Parameters: z.array(z.looseObject({ Name: z.string() })) });
const namesInput = z.looseObject({ Names: z.array(z.string()) });
const tagsInput = z.looseObject({ ResourceId: z.string() });
const pathInput = z.looseObject({ MaxResults: z.int().optional() });

/** So many names of a GetParameters or DeleteParameters, and parameters of a page of GetParametersByPath (API reference). */
const TEN = 10;
const LARGEST_PAGE = 50;

/** Parameters as AWS has them: what it refuses and the emulator takes, and filters by tags, which the emulator passes over. */
export function createParameterHandlers({ upstream, exclusion }: ParameterParts): Record<string, Handler> {
  const tenNames: Handler = (call) => {
    const { Names = [] } = read(call, namesInput.partial());
    if (Names.length < 1 || Names.length > TEN)
      throw invalid(`1 validation error detected: Value at 'names' must have length between 1 and ${TEN}.`);
    return upstream.forward(call);
  };
  /** Tags of what is not there are refused. */
  const tagging: Handler = async (call) => {
    const { ResourceId } = read(call, tagsInput);
    if (!(await typeOf(upstream, call, ResourceId)))
      throw new AwsError('InvalidResourceId', 'The resource ID is not valid. Verify that you entered the correct ID.');
    return upstream.forward(call);
  };
  return {
    GetParameters: tenNames,
    DeleteParameters: tenNames,
    AddTagsToResource: tagging,
    RemoveTagsFromResource: tagging,
    ListTagsForResource: tagging,
    GetParametersByPath: (call) => {
      const { MaxResults = TEN } = read(call, pathInput);
      if (MaxResults < 1 || MaxResults > TEN) throw invalid(`'maxResults' must be between 1 and ${TEN}.`);
      return upstream.forward(call);
    },
    DescribeParameters: (call) => describe(upstream, call),
    PutParameter: (call) => {
      const input = read(call, putInput);
      refusePut(input);
      const { Name, Overwrite, Type } = input;
      return exclusion.run(`parameter/${scopeKey(call.scope)}/${Name}`, async () => {
        const is = Overwrite === true && Type !== undefined ? await typeOf(upstream, call, Name) : undefined;
        if (is !== undefined && is !== Type)
          throw new AwsError('HierarchyTypeMismatchException', `The type of parameter ${Name} cannot be changed.`);
        return upstream.forward(call);
      });
    },
  };
}

/** Of a page, what has the tags that are asked for: AWS's pages too may hold fewer than there is room for. */
async function describe(upstream: Upstream, call: Call): Promise<Answer> {
  const input = read(call, describeInput);
  const { MaxResults = TEN, ParameterFilters = [] } = input;
  if (MaxResults < 1 || MaxResults > LARGEST_PAGE) throw invalid(`'maxResults' must be between 1 and ${LARGEST_PAGE}.`);
  const wanted = ParameterFilters.filter(({ Key }) => Key.startsWith('tag:'));
  if (wanted.length === 0) return upstream.forward(call);
  const others = ParameterFilters.filter((one) => !wanted.includes(one));
  const answer = await upstream.forward(withJson(call, { ...input, ParameterFilters: others }));
  if (answer.status >= 300) return answer;
  const page = describeAnswer.parse(JSON.parse(answer.body.toString('utf8')));
  const kept = await Promise.all(
    page.Parameters.map(async (parameter) => {
      const tags = await tagsOf(upstream, call, parameter.Name);
      const has = ({ Key, Values = [] }: z.infer<typeof filter>) => {
        const value = tags.get(Key.slice('tag:'.length));
        return value !== undefined && (Values.length === 0 || Values.includes(value));
      };
      return wanted.every(has) ? [parameter] : [];
    }),
  );
  return withBody(answer, JSON.stringify({ ...page, Parameters: kept.flat() }));
}

async function tagsOf(upstream: Upstream, { scope }: Call, ResourceId: string): Promise<ReadonlyMap<string, string>> {
  const { TagList = [] } = await upstream
    .clients(scope)
    .ssm.send(new ListTagsForResourceCommand({ ResourceType: 'Parameter', ResourceId }));
  return new Map(TagList.map(({ Key = '', Value = '' }) => [Key, Value]));
}

/** Undefined when there is none of the name. */
async function typeOf(upstream: Upstream, { scope }: Call, Name: string): Promise<string | undefined> {
  try {
    return (await upstream.clients(scope).ssm.send(new GetParameterCommand({ Name }))).Parameter?.Type;
  } catch (error) {
    if (error instanceof ParameterNotFound) return undefined;
    throw error;
  }
}

/** @throws AwsError ValidationException that names the field */
function read<T>(call: Call, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(readJson(call));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid input'}`);
}
