import { errorInfo, type Failure } from './errors.ts';

/** What a code asks of an operator. */
export interface Advice {
  readonly code: string;
  /** The operator's column of the table of errors. */
  readonly text: string;
  /** Page of the runbook, from the repository's root. */
  readonly runbook: string;
}

/** What to do about a code of the table; undefined for a product's own failure types. */
export function adviceOn(code: string): Advice | undefined {
  const row = errorInfo(code);
  return row && { code, text: row.operator, runbook: runbookPage(code) };
}

/** The same once nothing is tried again by itself: a step or its removal has failed for good. */
export function adviceWhenOver(code: string): Advice | undefined {
  const advice = adviceOn(code);
  return advice && { ...advice, text: errorInfo(code)?.whenOver ?? advice.text };
}

/**
 * What to do about a failure that is on record: nothing is tried again by itself any more. In a product's own words (`failsAs`) the code stands at the beginning of the detail.
 * @returns undefined when neither is known
 */
export function adviceOnFailure({ code, detail }: Pick<Failure, 'code' | 'detail'>): Advice | undefined {
  return adviceWhenOver(code) ?? adviceWhenOver(/^([A-Z_]+): /.exec(detail ?? '')?.[1] ?? '');
}

/** A page's address: GitHub makes an anchor of a heading that consists of the code alone. */
export function runbookPage(heading: string): string {
  return `docs/runbook.md#${heading.toLowerCase()}`;
}
