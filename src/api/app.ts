import { randomUUID } from 'node:crypto';
import fastify, { type FastifyBaseLogger, type FastifyInstance, type RouteOptions } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import type { TenantryClient } from '../client/tenantry.ts';
import type { Authenticator } from './access/authenticator.ts';
import { guardAccess } from './access/guard.ts';
import { refusalAudit } from './access/refusal-audit.ts';
import { LARGEST_BODY_BYTES } from '../contracts/body-limit.ts';
import { parseBodies } from './bodies.ts';
import { answerConnectionError, followAnswers, ignoreUnknownExpectations } from './connection-errors.ts';
import { announceDeprecations } from './deprecation.ts';
import { drainRequests, PLUGIN_TIMEOUT_MS } from './draining.ts';
import { answerError, answerErrors, identify } from './error-answers.ts';
import { describe } from './description.ts';
import { hideStaff } from './access/shown-actors.ts';
import { withoutCredentials } from './masked-log.ts';
import { defaultStreamTimes, type StreamTimes } from './streams/times.ts';
import { guardRequests, refuseUnsupportedRequests } from './guards.ts';
import { readIdempotencyKeys } from './idempotency-keys.ts';
import { allowOrigins } from './limits/cors.ts';
import {
  boundConnections,
  connectionOptions,
  defaultConnectionTimes,
  type ConnectionTimes,
} from './limits/connections.ts';
import { guardLimits } from './limits/limit-requests.ts';
import { gateOf } from './limits/limits.ts';
import { limitsOf, type GivenLimits } from '../limits-config.ts';
import { validatorCompiler } from './input-validation.ts';
import { answerUnrouted } from './methods.ts';
import { readPreconditions } from './preconditions.ts';
import { doorsOf } from './product-doors.ts';
import { traceRequests } from './request-spans.ts';
import { countRequests } from './request-counter.ts';
import { auditRoutes } from './routes/audit.ts';
import { availabilityRoutes } from './routes/availability.ts';
import { callerRoutes } from './routes/caller.ts';
import { certificateRoutes } from './routes/certificates.ts';
import { changeRoutes } from './routes/changes.ts';
import { codecRoutes, type Codec } from './routes/codec.ts';
import { eventRoutes } from './routes/events.ts';
import { freezeRoutes } from './routes/freezes.ts';
import { healthRoutes } from './routes/health.ts';
import { isolationRoutes } from './routes/isolation.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { operationRoutes } from './routes/operations.ts';
import { operatorRoutes } from './routes/operator.ts';
import { productRoutes } from './routes/products.ts';
import { repairRoute } from './routes/repair.ts';
import { removalRoutes } from './routes/removal.ts';
import { startRoutes } from './routes/start.ts';
import { streamTicketRoutes } from './routes/stream-tickets.ts';
import { tenantRoutes } from './routes/tenants.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { refuseUnstorableText } from './text-guard.ts';

/** What the API stands on: no AWS, no credentials. */
export interface ApiDeps {
  readonly client: TenantryClient;
  readonly codec: Codec;
  /** Origin of Temporal's UI, the only one that may call the codec endpoint from a browser. */
  readonly uiOrigin?: string | undefined;
  readonly log: FastifyBaseLogger;
  /** Who may call: the first that takes a token is asked. None: whoever reaches the API is the local operator. */
  readonly authenticators?: readonly Authenticator[] | undefined;
  /** Names under which the API is reached besides the loopback ones; only where callers are asked who they are. In lower case. */
  readonly publicHosts?: readonly string[] | undefined;
  /** Addresses (CIDR) whose `X-Forwarded-For` says where a request comes from. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Origins whose pages may call and read all but the codec. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Other limits than the default. */
  readonly limits?: GivenLimits | undefined;
  readonly connectionTimes?: ConnectionTimes | undefined;
  readonly streamTimes?: Partial<StreamTimes> | undefined;
  /** Told of every route as it is registered. */
  readonly onRoute?: ((route: RouteOptions) => void) | undefined;
}

/** Node's own limit of a request's head. */
const LONGEST_URL = 16 * 1024;

/** Builds the API without listening (`server.ts` does that; tests inject). */
export async function buildApp(deps: ApiDeps): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: withoutCredentials(deps.log),
    genReqId: () => randomUUID(),
    bodyLimit: LARGEST_BODY_BYTES,
    exposeHeadRoutes: true,
    trustProxy: deps.trustedProxies && deps.trustedProxies.length > 0 ? [...deps.trustedProxies] : false,
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
    clientErrorHandler: (error, socket) => answerConnectionError(error, socket, deps.log),
    ...connectionOptions(deps.connectionTimes ?? defaultConnectionTimes),
    pluginTimeout: PLUGIN_TIMEOUT_MS,
    // A parameter that is too long is refused by its schema, which names it; the headers' limit bounds the URL.
    routerOptions: { maxParamLength: LONGEST_URL },
    return503OnClosing: false,
    forceCloseConnections: true,
  });
  boundConnections(app.server);
  ignoreUnknownExpectations(app.server);
  followAnswers(app.server);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  parseBodies(app);
  if (deps.onRoute) app.addHook('onRoute', deps.onRoute);
  traceRequests(app);
  app.addHook('onRequest', (request, reply, next) => {
    identify(request, reply);
    next();
  });
  announceDeprecations(app);
  const requests = countRequests(app);
  const drain = drainRequests(app);
  const authenticators = deps.authenticators ?? [];
  const asksCallers = authenticators.length > 0;
  const origins = { uiOrigin: deps.uiOrigin, corsOrigins: deps.corsOrigins ?? [] };
  const gate = gateOf(limitsOf(deps.limits ?? {}, asksCallers), asksCallers);
  guardLimits(app, gate);
  guardRequests(app, { ...origins, asksCallers, publicHosts: deps.publicHosts ?? [] });
  allowOrigins(app, origins);
  const audit = refusalAudit(app, deps.client);
  guardAccess(app, { authenticators, client: deps.client, gate, audit });
  hideStaff(app);
  refuseUnsupportedRequests(app);
  refuseUnstorableText(app);
  readPreconditions(app);
  readIdempotencyKeys(app);
  answerErrors(app);
  answerUnrouted(app);
  const { client, codec } = deps;
  const doors = doorsOf(client);
  await describe(app, doors);
  await app.register(startRoutes);
  await app.register(callerRoutes);
  await app.register(tenantRoutes, { client });
  await app.register(availabilityRoutes, { client });
  await app.register(productRoutes, { client });
  await app.register(operatorRoutes, { client });
  await app.register(changeRoutes, { client });
  await app.register(repairRoute, { client });
  await app.register(freezeRoutes, { client });
  await app.register(isolationRoutes, { client });
  await app.register(removalRoutes, { client });
  await app.register(certificateRoutes, { client });
  await app.register(operationRoutes, { client });
  const times = { ...defaultStreamTimes, ...deps.streamTimes };
  await app.register(eventRoutes, { client, times, audit });
  await app.register(streamTicketRoutes, { client });
  await app.register(webhookRoutes, { client });
  await app.register(auditRoutes, { client });
  await app.register(healthRoutes, { client });
  await app.register(metricsRoutes, { client, requests });
  await app.register(codecRoutes, { codec });
  // In a scope of its own: what a door answers errors by is for its routes alone.
  for (const door of doors) await app.register((scope) => door.register(scope, { client }));
  await app.register(drain);
  return app;
}
