import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { RequestError } from '../../client/request-error.ts';
import { answers } from '../schemas/answers.ts';
import { noQuery } from '../schemas/parameters.ts';
import { payloads } from '../schemas/processes.ts';

/** A payload as the codec takes it (`Payload` of the Temporal SDK). */
export interface CodecPayload {
  metadata?: Record<string, Uint8Array> | null;
  data?: Uint8Array | null;
}

export interface Codec {
  encode(payloads: CodecPayload[]): Promise<CodecPayload[]>;
  decode(payloads: CodecPayload[]): Promise<CodecPayload[]>;
}

/** Large histories come in one request. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * Temporal's remote codec protocol, with which its UI shows encrypted payloads: only the UI's origin may call it
 * from a browser. https://docs.temporal.io/production-deployment/data-encryption
 */
export const codecRoutes: FastifyPluginCallbackZod<{ codec: Codec }> = (app, { codec }, done) => {
  for (const verb of ['decode', 'encode'] as const) {
    app.options(`/codec/${verb}`, { schema: { hide: true } }, (_request, reply) => reply.code(204).send());
    app.post(
      `/codec/${verb}`,
      {
        bodyLimit: BODY_LIMIT_BYTES,
        schema: {
          operationId: `${verb}Payloads`,
          summary: `${verb === 'decode' ? 'Decrypt' : 'Encrypt'} payloads of Temporal`,
          tags: ['operation of the service'],
          querystring: noQuery,
          body: payloads,
          response: answers({ 200: payloads }, ['NOT_SUPPORTED', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE']),
        },
      },
      async (request) => ({ payloads: await convert(codec, verb, request.body.payloads) }),
    );
  }
  done();
};

type WirePayload = z.infer<typeof payloads>['payloads'][number];

async function convert(codec: Codec, verb: 'decode' | 'encode', given: readonly WirePayload[]): Promise<WirePayload[]> {
  try {
    return (await codec[verb](given.map(fromWire))).map(toWire);
  } catch (cause) {
    throw new RequestError('INVALID_INPUT', `the payloads cannot be ${verb}d: another key, or damaged`, { cause });
  }
}

function fromWire(payload: WirePayload): CodecPayload {
  return {
    metadata: Object.fromEntries(Object.entries(payload.metadata ?? {}).map(([k, v]) => [k, Buffer.from(v, 'base64')])),
    data: Buffer.from(payload.data ?? '', 'base64'),
  };
}

function toWire(payload: CodecPayload): WirePayload {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  return {
    metadata: Object.fromEntries(Object.entries(payload.metadata ?? {}).map(([k, v]) => [k, text(v)])),
    data: text(payload.data ?? new Uint8Array()),
  };
}
