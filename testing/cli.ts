import { resolve } from 'node:path';
import { Argument, InvalidArgumentError, type Command } from 'commander';
import type { Creation } from './create/create.ts';
import { namesOf } from './create/names.ts';

/** Adds `tenantry create` and `tenantry test`, for those who write products and kinds. Loads what it needs on use only. */
export function registerTesting(program: Command): void {
  program
    .command('create')
    .description('write the first version of a product or a resource kind, which passes `tenantry test`')
    .addArgument(new Argument('<what>', 'product or kind').choices(['product', 'kind']))
    .argument('<name>', 'lower case letters, digits and single hyphens', checkedName)
    .option('--dir <path>', 'the folder with tenantry.config.ts, or where it is to be', '.')
    .action(async (what: Creation, name: string, { dir }: { dir: string }) => {
      const { create } = await import('./create/create.ts');
      const folder = resolve(dir);
      const { files, packages, toAdd, toChange } = create(what, name, folder);
      console.log(`in ${folder}:`);
      for (const file of files) console.log(`wrote ${file}`);
      if (packages.length > 0) console.log(`its imports need: npm install ${packages.join(' ')}`);
      if (what === 'kind')
        console.log(
          [
            'it makes an SQS queue until you write otherwise; give it a step in a product to try it. Another type of resource changes',
            ...toChange.map((line) => `  ${line}`),
            '  and the calls in find, create, converge, remove and the list of the sweep',
          ].join('\n'),
        );
      if (toAdd.length > 0) console.log(['add to tenantry.config.ts:', ...toAdd.map((line) => `  ${line}`)].join('\n'));
    });
  program
    .command('test')
    .description('try a product for every tier: what each of its own kinds promises, and the saga properties')
    .argument('<product>', 'its name, as tenantry.config.ts has it (TENANTRY_CONFIG names another file)')
    .option('--tier <tier>', 'this tier only')
    .action(async (product: string, { tier }: { tier?: string }) => {
      const { assertNeededPackages } = await import('./needed-packages.ts');
      assertNeededPackages();
      const { testProduct } = await import('./test-product.ts');
      process.exitCode = await testProduct(product, tier);
    });
}

function checkedName(name: string): string {
  try {
    return namesOf(name).name;
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}
