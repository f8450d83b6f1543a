import { z } from 'zod';
import { AwsError } from '../answer.ts';
import type { Handler } from '../pipeline.ts';
import { scopeKey } from '../request.ts';
import type { Upstream } from '../upstream.ts';
import { readJson } from './service-input.ts';

const registerInput = z.looseObject({
  family: z.string(),
  networkMode: z.string().nullish(),
  requiresCompatibilities: z.array(z.string()).nullish(),
  volumes: z
    .array(
      z.looseObject({
        host: z.looseObject({ sourcePath: z.string().nullish() }).nullish(),
        dockerVolumeConfiguration: z.unknown().optional(),
      }),
    )
    .nullish(),
  containerDefinitions: z
    .array(
      z.looseObject({
        firelensConfiguration: z.unknown().optional(),
        logConfiguration: z.looseObject({ logDriver: z.string() }).nullish(),
      }),
    )
    .nullish(),
});

/** Revisions of one family are made one at a time: AWS refuses a second attempt meanwhile. */
export function createRevisionHandlers({ upstream }: { readonly upstream: Upstream }): Record<string, Handler> {
  const inFlight = new Set<string>();
  return {
    RegisterTaskDefinition: async (call) => {
      const parsed = registerInput.safeParse(readJson(call));
      if (!parsed.success) return upstream.forward(call);
      requireRegistrable(parsed.data);
      const key = `${scopeKey(call.scope)}|${parsed.data.family}`;
      if (inFlight.has(key)) {
        throw new AwsError(
          'ClientException',
          'Too many concurrent attempts to create a new revision of the specified family.',
        );
      }
      inFlight.add(key);
      try {
        return await upstream.forward(call);
      } finally {
        inFlight.delete(key);
      }
    },
  };
}

/** What AWS refuses and MiniStack registers. @throws AwsError ClientException */
function requireRegistrable(input: z.infer<typeof registerInput>): void {
  const { containerDefinitions, networkMode, requiresCompatibilities, volumes } = input;
  const refuse = (message: string) => new AwsError('ClientException', message);
  if (requiresCompatibilities?.includes('FARGATE')) {
    if (networkMode !== 'awsvpc') throw refuse("Fargate only supports network mode 'awsvpc'.");
    if (volumes?.some(({ host }) => Boolean(host?.sourcePath)))
      throw refuse('Fargate compatible task definitions do not support sourcePath.');
    if (volumes?.some(({ dockerVolumeConfiguration: docker }) => docker !== undefined && docker !== null))
      throw refuse('Fargate compatible task definitions do not support dockerVolumeConfiguration.');
  }
  const routes = containerDefinitions?.some(({ firelensConfiguration: f }) => f !== undefined && f !== null) ?? false;
  const isRouted = containerDefinitions?.some((c) => c.logConfiguration?.logDriver === 'awsfirelens') ?? false;
  if (routes && !isRouted) {
    throw refuse(
      'When a firelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver.',
    );
  }
}
