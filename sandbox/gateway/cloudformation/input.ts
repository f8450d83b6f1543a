import { AwsError } from '../answer.ts';

/** AWS's refusal of most things that it does not like. */
export function invalid(message: string): AwsError {
  return new AwsError('ValidationError', message);
}

/** A page of a list, by the offset that its token is. @throws AwsError ValidationError */
export function pageOf<T>(params: URLSearchParams, list: readonly T[], size: number): { items: T[]; next?: string } {
  const token = params.get('NextToken') ?? '0';
  if (!/^\d+$/.test(token)) throw invalid('The specified token is invalid.');
  const start = Number(token);
  const end = start + size;
  return { items: list.slice(start, end), ...(end < list.length && { next: String(end) }) };
}
