import type { SettingsProblem } from '../contracts/settings.ts';
import { RequestError } from './request-error.ts';

/** A field of a request, as `body.slug`, and what is wrong with it. */
export interface InvalidField {
  readonly field: string;
  readonly problem: string;
}

export function invalid(fields: readonly InvalidField[], options: ErrorOptions = {}): RequestError {
  return new RequestError('INVALID_INPUT', fields.map((f) => `${f.field}: ${f.problem}`).join('; '), {
    details: { fields },
    ...options,
  });
}

/** As fields of a body that has them as `settings`. */
export function settingsFields(problems: readonly SettingsProblem[]): InvalidField[] {
  return problems.map(({ path, problem }) => ({ field: ['body', 'settings', ...path].join('.'), problem }));
}
