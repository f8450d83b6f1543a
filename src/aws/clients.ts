import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { Route53Client } from '@aws-sdk/client-route-53';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SESv2Client } from '@aws-sdk/client-sesv2';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import type { Cell } from '../contracts/platform.ts';
import { currentCallContext, type CallContext } from './call-context.ts';
import { inCallSpan } from './call-spans.ts';
import { cellCredentials } from './credentials.ts';
import { assertAnswered, classifyAwsError, isRead, type AwsCall } from './errors.ts';
import { abortReason, type Pacer, type TurnRequest } from './pacing.ts';
import { bucketsOf } from './rate-buckets.ts';

/** Request time-out, in ms. One attempt only: retries are Temporal's. */
export const REQUEST_TIMEOUT_MS = 5_000;

/**
 * How long before the end of its attempt (which comes 1.5 s before Temporal's) a call stops waiting for its turn, in ms: a change
 * so that it may take its whole time-out, a look, of which nothing is left when it is cut, so that it may take a usual one.
 */
const TIME_TO_CALL_MS = { change: 3_500, look: 1_000 };

export interface ClientOptions {
  /** Endpoint of every service (an emulator); absent: AWS's own. */
  readonly endpointUrl?: string | undefined;
  /** Absent: the SDK's default chain. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  readonly requestTimeoutMs?: number | undefined;
}

export interface Clients {
  readonly ecs: ECSClient;
  readonly elbv2: ElasticLoadBalancingV2Client;
  readonly route53: Route53Client;
  readonly secretsManager: SecretsManagerClient;
  readonly cloudformation: CloudFormationClient;
  readonly logs: CloudWatchLogsClient;
  readonly dynamodb: DynamoDBClient;
  readonly dynamodbStreams: DynamoDBStreamsClient;
  readonly s3: S3Client;
  /** Signs URLs and sends nothing, so nothing of a call's way is put on it. */
  readonly signer: S3Client;
  readonly ses: SESv2Client;
  readonly ssm: SSMClient;
  readonly sts: STSClient;
  /** A client of another service, for a kind of others: of the same region, role and endpoint, and equipped as these are. */
  readonly clientOf: ClientOf;
  destroy(): void;
}

/** A class of the SDK, such as `SQSClient`; of whichever version, so nothing is said of its settings' types. */
export type ClientClass<C> = new (config: never) => C;

/**
 * The cell's client of a class, the same one each time. Its calls are guarded, end with the attempt that they are made in, and fail
 * with a StepError whose cause is the SDK's own error.
 * @param options of the client's own, heeded when it is made; region, credentials and the like stay those of the cell
 */
export type ClientOf = <C extends EquippableClient>(Client: ClientClass<C>, options?: FurtherClientOptions) => C;

/** Settings of the SDK's client, and what the names of its service's actions do not tell. */
export interface FurtherClientOptions {
  readonly [setting: string]: unknown;
  /** Actions that change nothing, whatever their names say: `CheckDomainAvailability`. */
  readonly reads?: readonly string[];
  /** Actions that change something, whatever their names say. They win over `reads`. */
  readonly changes?: readonly string[];
}

/** The SDK's clients for one cell: its region, its role, paced, guarded and classed alike. */
export function createClients(cell: Cell, options: ClientOptions, pacer: Pacer): Clients {
  const config = clientConfig(cell, options);
  const equip = <C extends EquippableClient>(client: C, declared: DeclaredActions = new Map()): C =>
    equipped(client, { pacer, declared, region: cell.region });
  const clients = {
    ecs: equip(new ECSClient(config)),
    elbv2: equip(new ElasticLoadBalancingV2Client(config)),
    route53: equip(new Route53Client(config)),
    secretsManager: equip(new SecretsManagerClient(config)),
    cloudformation: equip(new CloudFormationClient(config)),
    logs: equip(new CloudWatchLogsClient(config)),
    dynamodb: equip(new DynamoDBClient(config)),
    dynamodbStreams: equip(new DynamoDBStreamsClient(config)),
    s3: equip(new S3Client(objectConfig(config, options))),
    signer: new S3Client(objectConfig(config, options)),
    ses: equip(new SESv2Client(config)),
    ssm: equip(new SSMClient(config)),
    sts: equip(new STSClient(config)),
  };
  const further = new Map<unknown, { readonly client: EquippableClient; readonly declared: Map<string, boolean> }>();
  return {
    ...clients,
    clientOf: <C extends EquippableClient>(
      Client: ClientClass<C>,
      { reads = [], changes = [], ...options }: FurtherClientOptions = {},
    ) => {
      const known = further.get(Client);
      const declared = known?.declared ?? new Map<string, boolean>();
      for (const action of reads) if (declared.get(action) !== false) declared.set(action, true);
      for (const action of changes) declared.set(action, false);
      // Made by this very class.
      if (known) return known.client as C;
      const Configured = Client as unknown as new (config: object) => C;
      const client = equip(new Configured({ ...options, ...config }), declared);
      further.set(Client, { client, declared });
      return client;
    },
    destroy: () => {
      for (const client of Object.values(clients)) client.destroy();
      for (const { client } of further.values()) client.destroy();
    },
  };
}

function clientConfig(cell: Cell, options: ClientOptions) {
  const base = {
    region: cell.region,
    maxAttempts: 1,
    logger: silent,
    ...(options.endpointUrl === undefined ? {} : { endpoint: options.endpointUrl }),
    requestHandler: {
      logger: silent,
      connectionTimeout: 2_000,
      requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      // Without this the handler only warns when the time is over.
      throwOnRequestTimeout: true,
      httpAgent: { keepAlive: true, maxSockets: 50 },
      httpsAgent: { keepAlive: true, maxSockets: 50 },
    },
  };
  return { ...base, credentials: cellCredentials(cell, { credentials: options.credentials, clientConfig: base }) };
}

/** A part of an object takes longer than an answer elsewhere. An endpoint of one host knows no buckets by their host names. */
function objectConfig(config: ReturnType<typeof clientConfig>, { endpointUrl, requestTimeoutMs }: ClientOptions) {
  const requestTimeout = requestTimeoutMs ?? OBJECT_TIMEOUT_MS;
  return {
    ...config,
    forcePathStyle: endpointUrl !== undefined,
    requestHandler: { ...config.requestHandler, requestTimeout },
  };
}

const OBJECT_TIMEOUT_MS = 60_000;

const ignore = () => undefined;
/** What the SDK would print on the console is in its errors, and those are told by whoever made the call. */
const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

/** What `equipped` needs of a client, whatever its service. */
export interface EquippableClient {
  readonly config: {
    serviceId: string;
    requestHandler: { handle: (...args: never[]) => unknown };
    credentials: (options?: { forceRefresh?: boolean }) => Promise<unknown>;
  };
  readonly middlewareStack: { add: (middleware: never, options: never) => void };
  destroy(): void;
}

/** Whether an action reads, by its name; of those that a kind says it of. */
type DeclaredActions = ReadonlyMap<string, boolean>;

interface Equipment {
  readonly pacer: Pacer;
  readonly declared: DeclaredActions;
  readonly region: string;
}

interface Execution {
  readonly commandName?: string;
}
type Handler = (args: { input: object }) => Promise<{ output: object }>;

/**
 * Puts on a client what every call goes through: pacing, the look at whether the step is being taken back before a
 * change, the activity's abort signal, the check that it was AWS that answered, the classing of errors, and new
 * credentials after AWS refused the old ones. (A wrong clock is corrected by the SDK, for the client's next call.)
 */
function equipped<C extends EquippableClient>(client: C, { pacer, declared, region }: Equipment): C {
  const service = serviceNames[client.config.serviceId] ?? client.config.serviceId.toLowerCase();
  let credentialsRefused = false;
  const send = async (call: AwsCall, context: CallContext | undefined, request: () => ReturnType<Handler>) => {
    try {
      if (credentialsRefused) await client.config.credentials({ forceRefresh: true });
      credentialsRefused = false;
      const answer = await request();
      assertAnswered(answer.output, call);
      if (!isRead(call)) context?.afterMutation?.();
      return answer;
    } catch (error) {
      const classed = classifyAwsError(error, call);
      credentialsRefused ||= classed.code === 'CREDENTIALS_MISSING';
      throw classed;
    }
  };
  const middleware = (next: Handler, execution: Execution) => (args: { input: object }) => {
    const action = (execution.commandName ?? 'Unknown').replace(/Command$/, '');
    const call: AwsCall = { service, action, isRead: declared.get(action) };
    const context = currentCallContext();
    return inCallSpan(call, region, async (sent) => {
      await untilTurn(pacer, call, context);
      // A call that waited for its turn longer than its activity lived must have no late effect.
      if (context?.signal.aborted) throw abortReason(context.signal);
      sent();
      context?.onTurn?.();
      return send(call, context, () => next(args));
    });
  };
  client.middlewareStack.add(middleware as never, { step: 'initialize', priority: 'high', name: 'tenantry' } as never);
  client.middlewareStack.add(nameCaller as never, { step: 'finalizeRequest', name: 'tenantryCaller' } as never);
  passSignal(client.config.requestHandler);
  return client;
}

/** Waits for a turn; another one when looking at the step took longer than the turn may be kept. */
async function untilTurn(pacer: Pacer, call: AwsCall, context: CallContext | undefined): Promise<void> {
  const request = turnRequest(call, context);
  for (;;) {
    const { untilMs } = await pacer.turn(request);
    if (!request.isLook) await context?.beforeMutation();
    if (performance.now() <= untilMs) return;
  }
}

function turnRequest(call: AwsCall, context: CallContext | undefined): TurnRequest {
  const { service, action } = call;
  const isLook = isRead(call);
  const buckets = bucketsOf(service, action, isLook);
  if (!context) return { buckets, isLook };
  const { caller, signal, untilMs } = context;
  const timeMs = isLook ? TIME_TO_CALL_MS.look : TIME_TO_CALL_MS.change;
  const latestAtMs = () => {
    const endMs = untilMs?.();
    return endMs === undefined ? undefined : endMs - timeMs;
  };
  if (!caller) return { buckets, isLook, signal, latestAtMs };
  const key = [caller.operationId, caller.stepId, caller.verb].join(' ');
  return { buckets, isLook, signal, latestAtMs, key, since: caller.since, isBackground: caller.isBackground };
}

type RequestHandler = (args: { request: { headers: Record<string, string> } }) => Promise<{ output: object }>;

/** Appends `tenantry-operation/<id> tenantry-step/<id> tenantry-verb/<verb>` to the user agent (CloudTrail keeps it). */
function nameCaller(next: RequestHandler): RequestHandler {
  return (args) => {
    const caller = currentCallContext()?.caller;
    if (caller) {
      const { operationId, stepId, verb } = caller;
      const { headers } = args.request;
      const agent = headers['user-agent'] ?? '';
      headers['user-agent'] =
        `${agent} tenantry-operation/${operationId} tenantry-step/${stepId} tenantry-verb/${verb}`.trimStart();
    }
    return next(args);
  };
}

const serviceNames: Readonly<Record<string, string>> = {
  ECS: 'ecs',
  'Elastic Load Balancing v2': 'elasticloadbalancing',
  'Route 53': 'route53',
  'Secrets Manager': 'secretsmanager',
  CloudFormation: 'cloudformation',
  'CloudWatch Logs': 'logs',
  DynamoDB: 'dynamodb',
  // Its actions are of the same prefix in IAM.
  'DynamoDB Streams': 'dynamodb',
  S3: 's3',
  SESv2: 'ses',
  SSM: 'ssm',
  STS: 'sts',
};

/** The SDK hands the abort signal from `send` to the request handler; ours is in the call's context instead. */
function passSignal(handler: { handle: (...args: never[]) => unknown }): void {
  const handle = handler.handle.bind(handler) as (request: unknown, options?: object) => unknown;
  handler.handle = (request: unknown, options?: object) =>
    handle(request, { abortSignal: currentCallContext()?.signal, ...options });
}
