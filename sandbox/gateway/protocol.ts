import type { ActionParts } from './actions.ts';

/** How a request is written on the wire, which its answer must be too. */
export type Protocol = 'query' | 'ec2' | 'json' | 'rest-json' | 'rest-xml' | 's3' | 'cbor';

/** What of a request tells its protocol. */
export type ProtocolParts = Pick<ActionParts, 'service' | 'headers' | 'body'>;

/**
 * By the request itself; a request without a body says nothing, and there the service decides. Those that have XML then are all that
 * AWS has, and it adds none.
 */
export function protocolOf({ service, headers, body }: ProtocolParts): Protocol {
  const type = headers['content-type'] ?? '';
  if (headers['smithy-protocol'] === 'rpc-v2-cbor' || type.startsWith('application/cbor')) return 'cbor';
  if (headers['x-amz-target'] !== undefined || type.startsWith('application/x-amz-json')) return 'json';
  // EC2 alone has a variant of the query protocol, which a request does not show.
  if (type.startsWith('application/x-www-form-urlencoded') && new URLSearchParams(body.toString('utf8')).has('Action'))
    return service === 'ec2' ? 'ec2' : 'query';
  if (service === 's3' || service === 's3express') return 's3';
  if (restXmlServices.has(service)) return 'rest-xml';
  return /^(?:application|text)\/xml/.test(type) ? 'rest-xml' : 'rest-json';
}

/** `unknown`: a request without a signature; its sender reads XML by the tag, and JSON by the header. */
const restXmlServices = new Set(['route53', 'cloudfront', 'unknown']);
