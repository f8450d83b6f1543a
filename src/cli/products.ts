import type { ProductList } from './api-client.ts';
import type { CheckedCommand } from './checked-command.ts';
import type { Common } from './context.ts';
import { environmentApi } from './environment-api.ts';
import { exitCodes, exitCodesHelp } from './exit-codes.ts';
import { inOptionNames } from './option-names.ts';
import { printJson, type Terminal } from './output.ts';
import type { SetExitCode } from './command-parts.ts';

type Product = ProductList['products'][number];

/** `tenantry products`: what tenants can be created, through the API at `TENANTRY_API_URL`. */
export function registerProducts(program: CheckedCommand, terminal: Terminal, setExitCode: SetExitCode): void {
  program
    .command('products')
    .description('list the products, and what a tenant of each asks for')
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', exitCodesHelp)
    .action(async ({ json }: Common) => {
      const answer = await environmentApi().products();
      if (json) printJson(terminal, answer);
      else for (const line of answer.products.flatMap(productLines)) terminal.out.write(`${line}\n`);
      setExitCode(exitCodes.done);
    });
}

function productLines(product: Product): string[] {
  const { name, tiers, tierChanges, suspendable, fields } = product;
  const option = (field: Product['fields'][number]) => inOptionNames(`body.${field.name}`);
  const named = (required: boolean) =>
    fields
      .filter((f) => f.required === required)
      .map(option)
      .join(', ');
  return [
    name,
    `  tiers     ${tiers.join(', ') || 'none'}`,
    // An API of an earlier release does not say them.
    ...(tierChanges === undefined ? [] : [`  migrates  ${changesText(tierChanges)}`]),
    ...(suspendable === undefined ? [] : [`  suspends  ${suspendable ? 'yes' : 'no'}`]),
    `  domains   ${domainsText(product)}`,
    `  required  ${named(true)}`,
    `  optional  ${named(false) || 'none'}`,
  ];
}

function changesText(changes: NonNullable<Product['tierChanges']>): string {
  return changes.map(({ from, to }) => `${from} to ${to}`).join(', ') || 'none';
}

function domainsText({ domains, cells }: Product): string {
  if (domains.length > 0) return domains.map((domain) => `<slug>.${domain}`).join(', ');
  return cells === undefined || cells.length === 0
    ? 'none: no cell serves this product'
    : 'none: its tenants have no host';
}
