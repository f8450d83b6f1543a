import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTemplateImage } from './landing-zone/seed.ts';

/** `tenantry sandbox template <tag>`: what a deployment of the template's own team does. */
export async function changeTemplate(request: {
  tag: string;
  component: 'backend' | 'frontend';
  dir: string;
}): Promise<void> {
  const env = { ...readEnv(join(request.dir, 'env')), ...process.env };
  const endpointUrl = env.AWS_ENDPOINT_URL;
  if (!endpointUrl) throw new Error(`AWS_ENDPOINT_URL is neither set nor in ${request.dir}/env: is the sandbox up?`);
  await setTemplateImage({
    endpointUrl,
    region: env.AWS_REGION ?? 'us-east-1',
    component: request.component,
    tag: request.tag,
  });
  console.log(`the ${request.component} template now runs image tag ${request.tag}`);
}

function readEnv(file: string): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return {};
  }
  const pairs = text.split('\n').flatMap((line) => {
    const [, name, value] = /^([A-Z_0-9]+)=(.*)$/.exec(line) ?? [];
    return name !== undefined && value !== undefined ? [[name, value.replace(/^'|'$/g, '')] as const] : [];
  });
  return Object.fromEntries(pairs);
}
