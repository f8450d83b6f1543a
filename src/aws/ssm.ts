import { GetParameterCommand, PutParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { isAwsError, sent } from './errors.ts';

/** SSM Parameter Store: small texts that outlive the database. */
export interface Parameters {
  /** Undefined when there is none. */
  readParameter(name: string): Promise<string | undefined>;
  /** Makes or overwrites it (type String). */
  writeParameter(name: string, value: string): Promise<void>;
}

export function createParameters(client: SSMClient): Parameters {
  return {
    async readParameter(name) {
      try {
        const answer = await client.send(new GetParameterCommand({ Name: name }));
        return sent(answer.Parameter?.Value, { service: 'ssm', action: 'GetParameter' }, 'Parameter.Value');
      } catch (error) {
        if (isAwsError(error, 'ParameterNotFound')) return undefined;
        throw error;
      }
    },

    async writeParameter(name, value) {
      await client.send(new PutParameterCommand({ Name: name, Value: value, Type: 'String', Overwrite: true }));
    },
  };
}
