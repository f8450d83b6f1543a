import type { z } from 'zod';
import type { Cell } from '../contracts/platform.ts';
import type { Settings, SettingsProblem } from '../contracts/settings.ts';
import { narrowestLimits, problemOf } from '../field-problems.ts';
import type { Product } from './product.ts';

/** What the bounds of a tenant's settings may depend on. */
export interface SettingsBounds<Tier extends string | null = string | null> {
  readonly cell: Cell;
  readonly tier: Tier;
}

export type CheckedSettings<S = Settings> =
  { readonly ok: true; readonly settings: S } | { readonly ok: false; readonly problems: readonly SettingsProblem[] };

/** Settings that the product does not take, which the door refuses. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly SettingsProblem[];
  constructor(product: string, problems: readonly SettingsProblem[]) {
    const said = problems.map(({ path, problem }) => `${['settings', ...path].join('.')}: ${problem}`).join('; ');
    super(`the settings do not fit the product ${product}: ${said}`);
    this.problems = problems;
  }
}

/** Whether a tenant of the product may have these settings. Pure. */
export function checkSettings(product: Pick<Product, 'settings'>, bounds: SettingsBounds, given: Settings) {
  return parseSettings(product.settings(bounds), given);
}

/** The settings as a schema reads them, with its defaults; or what is wrong with each field. */
export function parseSettings<S extends z.ZodType>(schema: S, given: Settings): CheckedSettings<z.output<S>> {
  const { success, data, error } = schema.safeParse(given, { error: problemOf });
  if (success) return { ok: true, settings: data };
  return {
    ok: false,
    problems: narrowestLimits(error.issues).map(({ path, message }) => ({ path: path.map(String), problem: message })),
  };
}

/**
 * The settings after a merge patch (RFC 7396): objects are merged, null takes a field out, everything else replaces what was there.
 */
export function mergePatch(settings: Settings, patch: Settings): Settings {
  const merged = new Map(Object.entries(settings));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, isObject(value) ? mergePatch(objectOr(merged.get(name)), value) : value);
  }
  return Object.fromEntries(merged);
}

function objectOr(value: unknown): Settings {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
