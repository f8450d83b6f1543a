import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';

/** A span as it came over the wire; ids in hex, times in ms. */
export interface ReceivedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly isError: boolean;
  readonly startMs: number;
  readonly endMs: number;
}

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** How requests are answered from now on. */
  answer: 'ok' | 'fails' | 'hangs';
  readonly requests: () => number;
  readonly stop: () => Promise<void>;
}

// Source: opentelemetry-proto 1.x, trace.proto and collector/trace/v1; fields that are not read here are passed over by the decoder.
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; fixed64 start = 7; fixed64 end = 8;
    repeated KeyValue attributes = 9; Status status = 15; }
  message Status { int32 code = 3; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
`);
const request = root.lookupType('Request');

type Attributes = readonly {
  readonly key: string;
  readonly value?: Readonly<Record<string, string | number | boolean>>;
}[];
interface Decoded {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: Attributes };
    readonly scopeSpans?: readonly { readonly spans?: readonly DecodedSpan[] }[];
  }[];
}
interface DecodedSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId?: Uint8Array;
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly attributes?: Attributes;
  readonly status?: { readonly code?: number };
}

/** A collector that takes spans by OTLP (http/protobuf) and keeps them. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  let requests = 0;
  const receiver = { answer: 'ok' as OtlpReceiver['answer'] };
  const server = createServer((incoming, answer) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      requests += 1;
      if (receiver.answer === 'hangs') return;
      const isTrace = incoming.url === '/v1/traces' && incoming.headers['content-type'] === 'application/x-protobuf';
      if (receiver.answer === 'fails' || !isTrace) return void answer.writeHead(isTrace ? 500 : 404).end();
      const body = Buffer.concat(chunks);
      spans.push(...decode(incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body));
      answer.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${port}`,
    spans,
    requests: () => requests,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

function decode(body: Buffer): ReceivedSpan[] {
  const { resourceSpans = [] } = request.toObject(request.decode(body), { longs: Number }) as Decoded;
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) => {
    const service = String(attributesOf(resource?.attributes)['service.name']);
    return scopeSpans.flatMap(({ spans = [] }) => spans.map((span) => readable(service, span)));
  });
}

function readable(service: string, span: DecodedSpan): ReceivedSpan {
  return {
    service,
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: hex(span.parentSpanId ?? new Uint8Array()),
    name: span.name,
    attributes: attributesOf(span.attributes),
    isError: span.status?.code === 2,
    startMs: span.start / 1e6,
    endMs: span.end / 1e6,
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function attributesOf(attributes: Attributes = []): ReceivedSpan['attributes'] {
  return Object.fromEntries(attributes.map(({ key, value = {} }) => [key, Object.values(value)[0] ?? '']));
}
