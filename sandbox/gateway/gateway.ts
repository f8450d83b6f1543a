import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino, type Logger } from 'pino';
import type { InventoryItem } from '../inventory/inventory.ts';
import { AwsError, errorAnswer } from './answer.ts';
import { CallLog, type CallRecord } from './calls.ts';
import { isControlRequest, serveControl } from './control.ts';
import { createCloudFormationHandlers } from './cloudformation/handlers.ts';
import { StackMachine } from './cloudformation/machine.ts';
import { StackStore } from './cloudformation/stack-store.ts';
import { createDnsHandlers } from './dns/handlers.ts';
import { createDynamodbHandlers } from './dynamodb/handlers.ts';
import { Addresses } from './ecs/addresses.ts';
import { createEcsHandlers } from './ecs/handlers.ts';
import { Scheduler } from './ecs/scheduler.ts';
import { ServiceStore } from './ecs/service-store.ts';
import { TaskRunner } from './ecs/task-runner.ts';
import { Certificates } from './elb/certificates.ts';
import { DataPlane, type ListenerAddress } from './elb/data-plane.ts';
import { ListenerCertificates } from './elb/listener-certificates.ts';
import { createElbHandlers } from './elb/handlers.ts';
import { Routes } from './elb/routes.ts';
import { TargetHealth } from './elb/target-health.ts';
import { Exclusion } from './exclusion.ts';
import { takeInventory, type InventoryQuery } from './inventory.ts';
import { createLimits, type LimitsState } from './limits/limits.ts';
import { Mailbox, type Mail } from './mails.ts';
import { createPipeline } from './pipeline.ts';
import { readCall, scopeKey, type Call, type Reply, type Scope } from './request.ts';
import { createScalingHandlers } from './scaling/handlers.ts';
import { Scaling } from './scaling/scaling.ts';
import { createSecretHandlers } from './secrets/handlers.ts';
import { createParameterHandlers } from './ssm/handlers.ts';
import { TaskHost, type TaskHostMode } from './task-host/task-host.ts';
import { Clock, type TimePreset, type TimeSettings } from './time.ts';
import { anonymous, Upstream } from './upstream.ts';
import type { FaultRule, FaultSetting } from './faults/setting.ts';
import { FaultInjector, type FaultsView } from './faults/fault-injector.ts';

export type { InventoryItem } from '../inventory/inventory.ts';
export type { InventoryQuery } from './inventory.ts';
export type { CallEffect, CallFault, CallOutcome, CallRecord, PendingCall } from './calls.ts';
export type { ListenerAddress } from './elb/data-plane.ts';
export type { LimitsState, QuotaName } from './limits/limits.ts';
export type { Mail } from './mails.ts';
export type { Call } from './request.ts';
export type { TimePreset, TimeSettings } from './time.ts';
export type { ParkedCall } from './faults/parked.ts';
export type { FaultRuleView } from './faults/rules.ts';
export type {
  CallMatch,
  Fault,
  FaultRule,
  FaultType,
  LimitsSetting,
  Turbulence,
  FaultSetting,
} from './faults/setting.ts';
export type { FaultsView } from './faults/fault-injector.ts';

export interface GatewayOptions {
  /** The AWS endpoint behind the gateway (MiniStack's URL). */
  readonly upstreamUrl: string;
  /** Port on 127.0.0.1; a free one by default. */
  readonly port?: number | undefined;
  /** `fast` by default. */
  readonly time?: TimePreset | TimeSettings | undefined;
  /** One process for all tasks (default), or one each. */
  readonly taskHost?: TaskHostMode | undefined;
  /** Local port wanted for a listener's port (`{ 443: 8443 }`); a free one when absent or taken. */
  readonly listenerPorts?: Readonly<Record<number, number>> | undefined;
  /** Fine by default: no faults, no limits. */
  readonly faults?: FaultSetting | undefined;
  readonly logger?: Logger | undefined;
  /** Is shown each AWS call with its contents, before any fault and before its effect. */
  readonly onCall?: ((call: Call) => void) | undefined;
}

/** Which faults and limits are set, and what came of them. */
export type GatewayFaults = FaultsView & { readonly limits: LimitsState };

/** A running gateway. */
export interface Gateway {
  /** What goes to `AWS_ENDPOINT_URL`. */
  readonly url: string;
  /** All that exists in AWS, as the oracle lists it: past fault injection, limits and call log. */
  inventory(query?: InventoryQuery): Promise<InventoryItem[]>;
  /** Where the load balancers' listeners are really reached. */
  listeners(): Promise<ListenerAddress[]>;
  /** Mails sent through SES. */
  mails(): Promise<Mail[]>;
  /** The last 20,000 AWS calls in the order of their ends, or those of them after a `seq`. */
  calls(afterSeq?: number): readonly CallRecord[];
  /**
   * Each part that is given replaces the one before; null clears it, and what it kept stale is seen. Parked calls stay
   * parked, late effects stay due. @throws RangeError when two rules have one id.
   */
  setFaults(setting: FaultSetting): GatewayFaults;
  /** Adds a rule behind those that are there; answers its id. @throws RangeError when the id is taken. */
  addRule(rule: FaultRule): string;
  /** Whether there was one. */
  removeRule(id: string): boolean;
  /** Which faults and limits are set, and what came of them. */
  faults(): GatewayFaults;
  /** Lets one parked call go on, or all of them; how many there were. */
  release(parkedId?: string): number;
  /** Resolves once no call is parked and no late effect is to come. */
  whenQuiet(): Promise<void>;
  /** Changes timings from now on; what already waits keeps its delay. */
  setTime(settings: TimePreset | Partial<TimeSettings>): TimeSettings;
  /** Process ids of the task hosts. */
  taskHostPids(): number[];
  close(): Promise<void>;
}

/** How long a connection may be idle, in ms: as long as MiniStack's. */
const keepAliveMs = 75_000;

/** Starts the sandbox's AWS: a proxy before an emulator that runs what the emulator only stores. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const logger = options.logger ?? pino({ level: 'silent' });
  const parts = await assemble(options, logger);
  const server = http.createServer((request, response) => {
    answer(parts, request, response).catch((error: unknown) => {
      logger.error({ err: error }, 'the gateway could not answer');
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  });
  // Node's 5 s end connections that callers are about to use again, which they see as "socket hang up".
  server.keepAliveTimeout = keepAliveMs;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  logger.info({ url, upstream: options.upstreamUrl }, 'gateway ready');
  return { url, ...parts.surface, close: () => close(parts, server) };
}

type Parts = Awaited<ReturnType<typeof assemble>>;

async function assemble(options: GatewayOptions, logger: Logger) {
  const upstream = new Upstream(options.upstreamUrl);
  const clock = new Clock(options.time ?? 'fast');
  const host = new TaskHost(options.taskHost ?? 'shared');
  const exclusion = new Exclusion();
  const addresses = new Addresses();
  const routes = new Routes(upstream);
  const targets = new TargetHealth({ upstream, clock, addresses, routes });
  const services = new ServiceStore();
  const runner: TaskRunner = new TaskRunner(
    { upstream, clock, host, addresses, targets },
    { changed: (service) => scheduler.wake(service), failed: (service, task) => scheduler.taskFailed(service, task) },
  );
  const limits = createLimits();
  const { quotas, launches } = limits;
  const stacks = new StackStore();
  const scaling = new Scaling(upstream);
  const machine = new StackMachine({ clock, upstream, scaling, logger });
  const scheduler: Scheduler = new Scheduler({ clock, targets, runner, launches });
  targets.onChange((arn) => {
    for (const s of services.all())
      if (s.deployments.some((d) => d.loadBalancers.some((lb) => lb.targetGroupArn === arn))) scheduler.wake(s);
  });
  const certificates = await Certificates.create();
  const listenerCertificates = new ListenerCertificates(upstream);
  const localPorts = options.listenerPorts ?? {};
  const dataPlane = new DataPlane({ routes, targets, certificates, listenerCertificates, localPorts, logger });
  const calls = new CallLog();
  const mailbox = new Mailbox(upstream);
  const owned = {
    handlers: {
      'application-autoscaling': createScalingHandlers(scaling),
      cloudformation: createCloudFormationHandlers({ upstream, stacks, machine }),
      dynamodb: createDynamodbHandlers({ upstream }),
      ecs: createEcsHandlers({ upstream, routes, exclusion, services, scheduler, runner, quotas }),
      elasticloadbalancing: createElbHandlers({
        ...{ upstream, routes, targets, dataPlane, exclusion, quotas },
        certificates: listenerCertificates,
      }),
      route53: createDnsHandlers({ upstream, clock, quotas }),
      secretsmanager: createSecretHandlers({ upstream, exclusion }),
      ssm: createParameterHandlers({ upstream, exclusion }),
    },
    forward: upstream.forward,
    logger,
  };
  // After fault injection: what a fault strikes before its effect costs no token, a late effect costs one when it lands.
  const pipeline = createPipeline({ ...owned, stages: [limits.stage, mailbox.stage] });
  const faults = new FaultInjector({ clock, ask: createPipeline({ ...owned, stages: [] }) });
  const setFaults = (setting: FaultSetting) => {
    faults.set(setting);
    if (setting.limits !== undefined) limits.set(setting.limits);
  };
  const viewFaults = () => ({ ...faults.view(), limits: limits.state() });
  setFaults(options.faults ?? {});
  const syncListeners = (scope: Scope) => exclusion.run(`elb/${scopeKey(scope)}`, () => dataPlane.sync(scope));
  const surface = {
    inventory: (query?: InventoryQuery) => takeInventory({ upstream, services, stacks, scaling, host, targets }, query),
    listeners: async () => {
      await Promise.all(upstream.scopes().map(syncListeners));
      return dataPlane.addresses();
    },
    mails: () => mailbox.mails(),
    calls: (afterSeq?: number) => calls.records(afterSeq),
    setFaults: (setting: FaultSetting) => {
      setFaults(setting);
      return viewFaults();
    },
    addRule: (rule: FaultRule) => faults.addRule(rule),
    removeRule: (id: string) => faults.removeRule(id),
    faults: viewFaults,
    release: (parkedId?: string) => faults.release(parkedId),
    whenQuiet: () => faults.whenQuiet(),
    setTime: (settings: TimePreset | Partial<TimeSettings>) => {
      clock.set(settings);
      return clock.settings;
    },
    taskHostPids: () => host.pids(),
  };
  return {
    upstream,
    clock,
    host,
    dataPlane,
    calls,
    faults,
    pipeline,
    surface,
    logger,
    onCall: options.onCall,
    seen: newScopes(upstream, syncListeners, logger),
  };
}

/** A caller that is new may own listeners that were made before this gateway started: they are opened beside its call. */
function newScopes(
  upstream: Upstream,
  syncListeners: (scope: Scope) => Promise<void>,
  logger: Logger,
): (scope: Scope) => void {
  const known = new Set<string>();
  return (scope) => {
    if (scope.accountId === anonymous || known.has(scopeKey(scope))) return;
    known.add(scopeKey(scope));
    upstream.clients(scope);
    syncListeners(scope).catch((error: unknown) => {
      known.delete(scopeKey(scope));
      logger.warn({ err: error }, 'listeners could not be read upstream');
    });
  };
}

async function answer(parts: Parts, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  if (isControlRequest(request)) {
    const { surface, clock, upstream } = parts;
    const health = () => ({
      gateway: true,
      upstream: upstream.url.href,
      time: clock.settings,
      taskHostPids: surface.taskHostPids(),
    });
    await serveControl({ ...surface, health, listeners: () => listenersByArn(surface) }, request, response);
    return;
  }
  const reply = await handleAws(parts, request, response);
  if ('silence' in reply) {
    if (reply.silence === 'cut') response.destroy();
    return;
  }
  // AWS names the request in each of its answers; the emulator leaves it out of some.
  const headers = { 'x-amzn-requestid': randomUUID(), ...reply.headers, 'content-length': reply.body.length };
  response.writeHead(reply.status, headers);
  response.end(reply.body);
}

/** The way of every AWS call: the call log, fault injection, the pipeline. */
async function handleAws(
  { upstream, seen, onCall, calls, faults, pipeline }: Parts,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<Reply> {
  const call = await readCall(request, response, upstream.accountOf).catch((error: unknown) => String(error));
  if (typeof call === 'string')
    return errorAnswer(
      { service: 'unknown', requestId: '', headers: request.headers, body: Buffer.alloc(0) },
      new AwsError('MalformedRequest', call),
    );
  seen(call.scope);
  onCall?.(call);
  return calls.write(call, () => faults.pass(call, () => pipeline(call)));
}

async function listenersByArn(
  surface: Parts['surface'],
): Promise<Record<string, Omit<ListenerAddress, 'listenerArn'>>> {
  const addresses = await surface.listeners();
  return Object.fromEntries(addresses.map(({ listenerArn, ...address }) => [listenerArn, address]));
}

async function close({ upstream, clock, host, dataPlane, faults }: Parts, server: http.Server): Promise<void> {
  clock.stop();
  faults.close();
  await Promise.all([
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
    dataPlane.close(),
    host.close(),
  ]);
  upstream.close();
}
