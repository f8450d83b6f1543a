import type { Handler } from '../pipeline.ts';
import type { Call } from '../request.ts';
import type { Upstream } from '../upstream.ts';
import { refuseExpressions, type ExpressionSite } from './expressions.ts';

/** Every operation that takes expressions; PartiQL's have none. */
const actions = [
  ...['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'Scan'],
  ...['BatchGetItem', 'TransactGetItems', 'TransactWriteItems'],
];

/** Refuses what DynamoDB refuses of expressions: the emulator looks at most of them only once an item is found, and not at all words. */
export function createDynamodbHandlers({ upstream }: { readonly upstream: Upstream }): Record<string, Handler> {
  const checked: Handler = async (call) => {
    for (const site of sitesOf(call)) refuseExpressions(site);
    return upstream.forward(call);
  };
  return Object.fromEntries(actions.map((action) => [action, checked]));
}

/** The parts of a request that may have expressions; none of one that is no JSON, which the emulator refuses. */
function sitesOf(call: Call): ExpressionSite[] {
  const body = parsed(call);
  const ofBatch = membersOf(body['RequestItems']);
  const ofTransaction = membersOf(body['TransactItems']).flatMap(membersOf);
  return [body, ...ofBatch, ...ofTransaction].filter(isFields);
}

function parsed({ body }: Call): ExpressionSite {
  try {
    const read: unknown = JSON.parse(body.toString('utf8'));
    return isFields(read) ? read : {};
  } catch {
    return {};
  }
}

function membersOf(given: unknown): unknown[] {
  return typeof given === 'object' && given !== null ? Object.values(given) : [];
}

function isFields(given: unknown): given is ExpressionSite {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}
