import type { Parameters } from '../aws/ssm.ts';
import type { Cell } from '../contracts/platform.ts';
import { look, ok, problem, type Finding } from './finding.ts';

/** Whether SSM has every parameter of the cell's description, with that value. */
export async function checkParameters(
  { id, region, ssmParameters = {} }: Pick<Cell, 'id' | 'region' | 'ssmParameters'>,
  parameters: Pick<Parameters, 'readParameter'>,
): Promise<Finding[]> {
  const wanted = Object.entries(ssmParameters);
  if (wanted.length === 0) return [];
  const subject = `cell ${id}: SSM parameters`;
  return look(subject, async () => {
    const said = await Promise.all(
      wanted.map(async ([name, value]) => {
        const found = await parameters.readParameter(name);
        if (found === value) return [];
        const seen = found === undefined ? `does not exist in region ${region}` : `is "${found}" in region ${region}`;
        return [`${name} ${seen}, and the platform description says "${value}": correct one of the two`];
      }),
    );
    const problems = said.flat().map((one) => problem(subject, one));
    return problems.length > 0
      ? problems
      : [ok(subject, `${wanted.length} have the values of the platform description`)];
  });
}
