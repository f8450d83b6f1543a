/**
 * What is said of a tenant, said of the account that it is: for people. Names of commands go along, identifiers stay. Text that a person
 * gave must not be in it.
 */
export function inAccountWords(text: string): string {
  return text
    .replaceAll('tenantry tenants ', 'tenantry accounts ')
    .replace(/\btenant(s|'s)?\b(?!\/|#|-|\.\w)/g, 'account$1')
    .replace(/(?<![-\w])tier(s?)\b(?!\/|#|-|:|\.\w)/g, 'cloud type$1')
    .replaceAll(' migrate operation ', ' move operation ');
}
