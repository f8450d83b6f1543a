import { fieldDifferences } from '../plan/differences.ts';
import type { SettingsHistory } from './api-client.ts';
import { utc } from './attention.ts';
import { callerText } from './progress.ts';
import type { Subject } from './subject.ts';

type Choice = SettingsHistory['history'][number];

/** A choice, for people: when, by whom and what became of it, then a line for each field that it changed. */
export function choiceLines(
  { operationText }: Pick<Subject, 'operationText'>,
  { version, at, caller = null, operation, before, ...now }: Choice,
): string[] {
  const became = operation ? `${operationText(operation.type)} ${operation.state}` : 'took effect at once';
  const fields = [
    ...fieldDifferences(before?.settings ?? {}, now.settings),
    ...fieldDifferences(
      { mode: before?.mode, credentials: before?.credentials },
      { mode: now.mode, credentials: now.credentials },
    ),
  ];
  return [
    `version ${version}, ${utc(at)}, by ${callerText(caller)}: ${became}`,
    ...fields.map(({ field, from, to }) => `  ${field}: ${shown(from)} -> ${shown(to)}`),
  ];
}

function shown(value: unknown): string {
  return value === undefined ? '(none)' : JSON.stringify(value);
}
