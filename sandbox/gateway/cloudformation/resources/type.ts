import type { z } from 'zod';
import { AwsError } from '../../answer.ts';
import type { Scaling } from '../../scaling/scaling.ts';
import type { UpstreamClients } from '../../upstream.ts';
import type { Made, Properties, Tags } from '../model.ts';

/** Where resources are made. */
export interface ResourceServices {
  readonly clients: UpstreamClients;
  readonly scaling: Scaling;
}

export interface ResourceCall extends ResourceServices {
  readonly properties: Properties;
  /** Of the stack, and CloudFormation's own. */
  readonly tags: Tags;
  /** For one that the template gives no name. */
  readonly generatedName: string;
}

/** How CloudFormation makes one type of resource. Errors are told in the events of the stack. */
export interface ResourceType {
  /** Properties that it has; others are refused. */
  readonly known: readonly string[];
  /** Those whose change needs another resource in its place. */
  readonly replacing: readonly string[];
  /** The property that names it: one that has it cannot be replaced under the same name. */
  readonly named?: string;
  readonly isTagged: boolean;
  create(call: ResourceCall): Promise<Made>;
  update(call: ResourceCall & { readonly physicalId: string; readonly before: Properties }): Promise<Made>;
  /** Missing is done. */
  remove(call: ResourceServices & { readonly physicalId: string }): Promise<void>;
}

/** The service's own error, as a resource's handler tells it. */
export class HandlerError extends Error {
  override readonly name = 'HandlerError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The properties of a resource by their shape. @throws HandlerError InvalidRequest that names the first that does not fit */
export function readProperties<T>(shape: z.ZodType<T>, { properties }: Pick<ResourceCall, 'properties'>): T {
  const parsed = shape.safeParse(properties);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new HandlerError(
    'InvalidRequest',
    `Model validation failed (#/${issue?.path.join('/') ?? ''}: ${issue?.message ?? ''})`,
  );
}

/** A refusal of a service that is the gateway's own, as CloudFormation words it. @throws HandlerError */
export async function asHandler<T>(act: () => Promise<T> | T): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw new HandlerError(error.code === 'ObjectNotFoundException' ? 'NotFound' : 'InvalidRequest', error.message);
  }
}
