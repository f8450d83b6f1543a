import { loadCatalog } from '../src/catalog/load.ts';
import { catalogFileOf } from '../src/config.ts';
import { setTemplateImage } from './landing-zone/seed.ts';
import { isSandboxRunning } from './stack/directory-lock.ts';
import { notRunning, readEnvFile } from './stack/env-file.ts';

/** There is no sandbox to change; its message says all. */
export class NoSandboxError extends Error {
  override readonly name = 'NoSandboxError';
}

/**
 * `tenantry sandbox template <tag>`: what a deployment of the template's own team does.
 * @throws NoSandboxError, RangeError when there is no such product or template
 */
export async function changeTemplate(request: {
  tag: string;
  /** The first that the product declares, unless given. */
  component?: string | undefined;
  /** The first of the installation, unless given. */
  product?: string | undefined;
  dir: string;
}): Promise<void> {
  const { tag, dir } = request;
  const written = readEnvFile(dir);
  const env = { ...written, ...process.env };
  const endpointUrl = env.AWS_ENDPOINT_URL;
  if (!endpointUrl) throw new NoSandboxError(`no sandbox runs in ${dir}, and AWS_ENDPOINT_URL is not set: npm start`);
  // An endpoint of somebody's own has no file beside it.
  if (endpointUrl === written.AWS_ENDPOINT_URL && !(await isSandboxRunning(dir)))
    throw new NoSandboxError(notRunning(dir));
  const { products } = await loadCatalog(catalogFileOf(env));
  const product = request.product === undefined ? Object.values(products)[0] : products[request.product];
  if (!product)
    throw new RangeError(`there is no product "${request.product ?? ''}": ${Object.keys(products).join(', ')}`);
  const component = request.component ?? Object.keys(product.templates)[0] ?? '';
  await setTemplateImage({ endpointUrl, region: env.AWS_REGION ?? 'us-east-1', product, component, tag });
  console.log(`the ${component} template now runs image tag ${tag}`);
}
