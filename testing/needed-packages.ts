import { readFileSync } from 'node:fs';

const manifest = new URL('../package.json', import.meta.url);

/** Packages that trying kinds and products needs are missing where Tenantry is installed. */
export class MissingPackagesError extends Error {
  override readonly name = 'MissingPackagesError';
}

/**
 * Beside a clone they are development dependencies; an installation of the package has to add them (optional peer dependencies).
 * @param resolve throws for a package that is not installed
 * @throws MissingPackagesError naming each that is missing, and the command that installs them
 */
export function assertNeededPackages(resolve: (name: string) => unknown = (name) => import.meta.resolve(name)): void {
  const missing = Object.entries(neededPackages()).filter(([name]) => !isThere(name, resolve));
  if (missing.length === 0) return;
  const names = missing.map(([name]) => name).join(', ');
  const specs = missing.map(([name, range]) => `"${name}@${range}"`).join(' ');
  throw new MissingPackagesError(
    `tenantry/testing needs packages that are not installed: ${names}. Install them: npm install --save-dev ${specs}`,
  );
}

function neededPackages(): Readonly<Record<string, string>> {
  const { peerDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    peerDependencies: Readonly<Record<string, string>>;
  };
  return peerDependencies;
}

function isThere(name: string, resolve: (name: string) => unknown): boolean {
  try {
    resolve(name);
    return true;
  } catch {
    return false;
  }
}
