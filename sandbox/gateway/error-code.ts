import type { Answer } from './request.ts';

/** AWS's code of an answer that is an error, in whichever protocol; undefined for any other and where none is given. */
export function errorCodeOf(answer: Answer): string | undefined {
  if (answer.status < 300) return undefined;
  const header = answer.headers['x-amzn-errortype'];
  if (header) return plain(header);
  const text = answer.body.toString('utf8');
  const xml = /<Code>([^<]+)<\/Code>/.exec(text)?.[1];
  if (xml) return xml;
  const json = /"(?:__type|code|Code)"\s*:\s*"([^"]+)"/.exec(text)?.[1];
  return json === undefined ? undefined : plain(json);
}

/** Whether this is one of the codes by which AWS throttles. */
export function isThrottlingCode(code: string | undefined): boolean {
  return code !== undefined && throttlingCodes.has(code);
}

const throttlingCodes = new Set([
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'SlowDown',
]);

/** Without namespace and documentation link: `com.amazonaws.ecs#ServerException:http://...` is `ServerException`. */
function plain(code: string): string {
  return code.replace(/^.*#/, '').replace(/:.*$/, '');
}
