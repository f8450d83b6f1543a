import type { Settings, SettingsProblem } from '../contracts/settings.ts';
import type { Product } from './product.ts';

/** What people know a tenant by, and who is written to. */
export const detailNames = ['displayName', 'contactEmail'] as const;
export type DetailName = (typeof detailNames)[number];
export type Details = Readonly<Partial<Record<DetailName, string>>>;

type HasDetails = Pick<Product, 'details'>;

/** The details that a tenant's settings hold: those are the tenant's, and are changed there. Pure. */
export function detailsIn(product: HasDetails, settings: Settings): Details {
  const found = detailNames.flatMap((name) => {
    const value = valueAt(settings, pathOf(product, name));
    return typeof value === 'string' ? [[name, value.trim()] as const] : [];
  });
  return Object.fromEntries(found);
}

/** Settings of a new tenant with the details of its request, where they name none and have a place of their own for one. Pure. */
export function withDetails(product: HasDetails, settings: Settings, given: Details): Settings {
  const added = detailNames.flatMap((name) => {
    const [field, ...inner] = pathOf(product, name);
    const isMissing = field !== undefined && inner.length === 0 && !Object.hasOwn(settings, field);
    return isMissing && given[name] !== undefined ? [[field, given[name]] as const] : [];
  });
  return { ...settings, ...Object.fromEntries(added) };
}

/** Details that a change would take out of the settings: without them nobody would know what the tenant is called. Pure. */
export function lostDetails(product: HasDetails, before: Settings, after: Settings): SettingsProblem[] {
  const kept = detailsIn(product, after);
  return Object.keys(detailsIn(product, before)).flatMap((name) => {
    if (Object.hasOwn(kept, name)) return [];
    const problem = `cannot be taken back, only changed: it is the tenant's ${name}`;
    return isDetailName(name) ? [{ path: [...pathOf(product, name)], problem }] : [];
  });
}

/** The setting that a detail is, as `settings.name`. */
export function settingOf(product: HasDetails, name: DetailName): string {
  return ['settings', ...pathOf(product, name)].join('.');
}

function isDetailName(name: string): name is DetailName {
  return detailNames.some((known) => known === name);
}

function pathOf({ details }: HasDetails, name: DetailName): readonly string[] {
  return details?.[name]?.split('.') ?? [];
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  const [field, ...inner] = path;
  if (field === undefined) return undefined;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return undefined;
  const found: unknown = Object.entries(value).find(([name]) => name === field)?.[1];
  return inner.length === 0 ? found : valueAt(found, inner);
}
