/** What `tenantry test <product>` runs: the saga properties for every tier, and what each of the product's own kinds promises. */
import { loadCatalog } from '../src/catalog/load.ts';
import { isBuiltIn } from '../src/kinds/built-in.ts';
import { catalogFileOf } from '../src/config.ts';
import { tiersOf } from '../src/products/places.ts';
import { describeKinds, type KindSamples } from './describe-kind.ts';
import { loadTesting } from './define-testing.ts';
import { sampleOf } from './sample.ts';
import { blueprintOfProduct } from './sagas/blueprints.ts';
import { describeProduct } from './sagas/describe-product.ts';

const configFile = catalogFileOf(process.env);
const catalog = await loadCatalog(configFile);
const { listers, demandedBeside, samples: more = {} } = await loadTesting(configFile);
const { TENANTRY_TEST_PRODUCT = '', TENANTRY_TEST_TIER: tier } = process.env;
const product = catalog.products[TENANTRY_TEST_PRODUCT];
if (!product) throw new Error(`there is no product "${TENANTRY_TEST_PRODUCT}"`);

const kinds = [...catalog.kinds.kinds.values()].filter((kind) => !isBuiltIn(kind));
const unknown = Object.keys(more).filter((name) => !kinds.some((kind) => kind.name === name));
if (unknown.length > 0)
  throw new Error(
    `tenantry.testing.ts has samples of ${unknown.join(', ')}: the kinds of your own are ${kinds.map(({ name }) => name).join(', ') || 'none'}`,
  );
const samples = kinds.flatMap((kind): KindSamples[] => {
  const steps = (tier === undefined ? tiersOf(product) : [tier]).flatMap((one) =>
    blueprintOfProduct(product, one, catalog)
      .filter((step) => step.kind === kind.name)
      .map((step) => ({
        ...sampleOf(product, step.id, one),
        name: one === null ? step.id : `${step.id} of tier ${one}`,
        ...more[kind.name],
      })),
  );
  return steps.length === 0 ? [] : [{ kind, samples: steps }];
});
// First, because they say best what is wrong with a kind.
if (samples.length > 0) describeKinds(samples, { kinds, listers, demandedBeside });
describeProduct(product, { catalog, tier, listers });
