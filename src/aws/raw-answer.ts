import { unreadable, type AwsCall } from './errors.ts';

/** What `keepRawAnswer` needs of a command, whatever its service. */
interface RawCommand {
  readonly middlewareStack: { add: (middleware: never, options: never) => void };
}

type Next = (args: object) => Promise<{ response: { body?: unknown } }>;

/**
 * Keeps the JSON of a command's answer as AWS sent it: the SDK drops members that its model does not have. Call it before the
 * command is sent, and what it answers afterwards.
 *
 * @returns a function that answers the body. @throws StepError AWS_ANSWER_UNREADABLE when none was received, or it is no JSON
 */
export function keepRawAnswer(command: RawCommand, call: AwsCall): () => unknown {
  let text = '';
  const middleware = (next: Next) => async (args: object) => {
    const answer = await next(args);
    const bytes = await bytesOf(answer.response.body);
    text = bytes.toString('utf8');
    // The stream is read: the SDK's deserializer, which comes next on the way back, gets its bytes.
    answer.response.body = bytes;
    return answer;
  };
  const options = { step: 'deserialize', priority: 'low', name: 'tenantryRawAnswer' };
  command.middlewareStack.add(middleware as never, options as never);
  return () => {
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw unreadable(call, {}, error);
    }
  };
}

/**
 * Paths of the members of a raw answer that the SDK's reading of it lacks: `volumes[0].newKindOfVolume`. Members without a value
 * (null, an empty list) say nothing that could be lost. Pure.
 */
export function unknownMembers(raw: unknown, known: unknown, path = ''): string[] {
  if (Array.isArray(raw)) {
    const values: readonly unknown[] = Array.isArray(known) ? known : [];
    return raw.flatMap((value: unknown, i) => unknownMembers(value, values[i], `${path}[${i}]`));
  }
  if (!isRecord(raw)) return [];
  return Object.entries(raw).flatMap(([name, value]) => {
    const at = path === '' ? name : `${path}.${name}`;
    if (isEmpty(value)) return [];
    const read = isRecord(known) ? known[name] : undefined;
    return read === undefined ? [at] : unknownMembers(value, read, at);
  });
}

async function bytesOf(body: unknown): Promise<Buffer> {
  if (body === undefined || body === null) return Buffer.alloc(0);
  const parts: Buffer[] = [];
  for await (const part of body as AsyncIterable<Uint8Array>) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
