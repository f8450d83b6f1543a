import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { assertCatalogParts, createCatalog, defaultCatalog, type Catalog, type CatalogParts } from './catalog.ts';

/** The file that names an installation's products cannot be used; the message says which and why. */
export class CatalogError extends Error {
  override readonly name = 'CatalogError';
}

/**
 * Loads what `tenantry.config.ts` names: products and further kinds. Without a file the installation has what comes with Tenantry.
 * @param file path, from the current folder; undefined for none
 * @throws CatalogError
 */
export async function loadCatalog(file: string | undefined): Promise<Catalog> {
  if (file === undefined) return defaultCatalog;
  const path = resolve(file);
  if (!existsSync(path)) throw new CatalogError(`there is no file ${path}: correct TENANTRY_CONFIG`);
  try {
    const { default: parts } = (await import(pathToFileURL(path).href)) as { default?: unknown };
    return createCatalog(checked(parts));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CatalogError(`${path} cannot be used: ${why}`, { cause });
  }
}

/** The default export; what is in its lists was made by `defineProduct` and `defineKind`, which check more. */
function checked(parts: unknown): CatalogParts {
  try {
    assertCatalogParts(parts);
    return parts;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`its default export must be defineConfig({ products: [...], kinds: [...] }): ${why}`, { cause });
  }
}
