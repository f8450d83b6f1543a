/** What an operator chose for a tenant, as it was given: the product says what is valid. Plain JSON. */
export type Settings = Readonly<Record<string, unknown>>;

/** Whether a tenant is to answer its users. */
export const tenantModes = ['active', 'suspended'] as const;
export type TenantMode = (typeof tenantModes)[number];

/** What is wrong with a field of the settings; `path` without what holds them. */
export interface SettingsProblem {
  readonly path: readonly string[];
  readonly problem: string;
}
