import { GetParameterCommand, PutParameterCommand, type Parameter, type SSMClient } from '@aws-sdk/client-ssm';
import { isAwsError, sent } from './errors.ts';

/** SSM Parameter Store: small texts that outlive the database. */
export interface Parameters {
  /** Undefined when there is none. */
  readParameter(name: string): Promise<string | undefined>;
  /** Its value, and which writing of it this is; undefined when there is none. */
  findWritten(name: string): Promise<{ readonly value: string; readonly writing: string } | undefined>;
  /** Makes or overwrites it (type String). */
  writeParameter(name: string, value: string): Promise<void>;
}

export function createParameters(client: SSMClient): Parameters {
  const find = async (Name: string): Promise<Parameter | undefined> => {
    try {
      return sent((await client.send(new GetParameterCommand({ Name }))).Parameter, getParameter, 'Parameter');
    } catch (error) {
      if (isAwsError(error, 'ParameterNotFound')) return undefined;
      throw error;
    }
  };
  const valueOf = ({ Value }: Parameter) => sent(Value, getParameter, 'Parameter.Value');
  return {
    async readParameter(name) {
      const found = await find(name);
      return found && valueOf(found);
    },

    async findWritten(name) {
      const found = await find(name);
      if (!found) return undefined;
      // One that is made anew begins at version 1 again, at another time.
      const at = sent(found.LastModifiedDate, getParameter, 'Parameter.LastModifiedDate');
      return {
        value: valueOf(found),
        writing: `${at.toISOString()} ${sent(found.Version, getParameter, 'Parameter.Version')}`,
      };
    },

    async writeParameter(name, value) {
      await client.send(new PutParameterCommand({ Name: name, Value: value, Type: 'String', Overwrite: true }));
    },
  };
}

const getParameter = { service: 'ssm', action: 'GetParameter' };
