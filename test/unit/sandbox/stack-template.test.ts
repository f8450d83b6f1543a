import { describe, expect, it } from 'vitest';
import { Evaluation } from '../../../sandbox/gateway/cloudformation/evaluation.ts';
import { readTemplate } from '../../../sandbox/gateway/cloudformation/template.ts';

const handle = 'AWS::CloudFormation::WaitConditionHandle';

function evaluationOf(body: string, parameters: Readonly<Record<string, string>> = {}) {
  const template = readTemplate(body);
  const scope = { accountId: '123456789012', region: 'eu-west-1' };
  const attributeOf = (id: string, attribute = 'id') => `<${id} ${attribute}>`;
  const evaluation = new Evaluation({ template, parameters, scope, stackName: 'one', stackId: 'arn', attributeOf });
  const properties = (id: string) => evaluation.properties(template.Resources[id]!);
  return { evaluation, properties };
}

describe('a template', () => {
  it('has its functions carried out, in their short and their long forms', () => {
    const { properties } = evaluationOf(
      `
Parameters: { Name: { Type: String }, Tier: { Type: String } }
Mappings: { Tiers: { large: { units: 5 } } }
Conditions: { IsLarge: !Equals [!Ref Tier, large], IsSmall: !Not [Condition: IsLarge] }
Resources:
  A:
    Type: ${handle}
    Properties:
      sub: !Sub '\${Name} in \${AWS::Region} of \${B.Arn} and \${!Literal}'
      own: !Sub ['\${x}-\${Name}', { x: !Ref B }]
      join: !Join ['/', [a, !Ref Name]]
      chosen: !If [IsLarge, !FindInMap [Tiers, !Ref Tier, units], none]
      gone: !If [IsSmall, here, !Ref AWS::NoValue]
      list: [one, !If [IsSmall, two, !Ref AWS::NoValue]]
      long: { 'Fn::Select': [1, { 'Fn::Split': [',', 'a,b'] }] }
  B: { Type: ${handle} }`,
      { Name: 'acme', Tier: 'large' },
    );
    expect(properties('A')).toEqual({
      sub: 'acme in eu-west-1 of <B Arn> and ${Literal}',
      own: '<B id>-acme',
      join: 'a/acme',
      chosen: 5,
      list: ['one'],
      long: 'b',
    });
  });

  it('is made in the order of what refers to what, without what no condition asks for', () => {
    const { evaluation } = evaluationOf(`
Conditions: { Never: !Equals [a, b] }
Resources:
  A: { Type: ${handle}, DependsOn: B }
  B: { Type: ${handle}, Properties: { c: !Sub '\${C}' } }
  C: { Type: ${handle} }
  D: { Type: ${handle}, Condition: Never }`);
    expect(evaluation.resources().map(([id]) => id)).toEqual(['C', 'B', 'A']);
  });

  it.each([
    ['Resources: {}', 'At least one Resources member must be defined'],
    [`Resources: { A: { Type: ${handle}, DependsOn: A } }`, 'Circular dependency between resources: [A, A]'],
    ['Resources: { A: {} }', 'Resources/A/Type'],
    ['Resources: [', 'Template format error'],
    [`Transform: AWS::Serverless-2016-10-31\nResources: { A: { Type: ${handle} } }`, 'no transforms'],
    [
      `Resources: { A: { Type: ${handle}, Properties: { a: { 'Fn::Cidr': [] } } } }`,
      'does not know the function Fn::Cidr',
    ],
  ])('is refused: %s', (body, words) => {
    expect(() => {
      const { evaluation, properties } = evaluationOf(body);
      for (const [id] of evaluation.resources()) properties(id);
    }).toThrow(words);
  });
});
