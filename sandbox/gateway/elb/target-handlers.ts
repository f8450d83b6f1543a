import { AwsError, elbAnswer, escapeXml } from '../answer.ts';
import type { Handler } from '../pipeline.ts';
import { memberFields, queryParams, type Answer, type Call } from '../request.ts';
import type { ElbParts } from './handlers.ts';
import { loadTargetGroup, type TargetGroup } from './target-group.ts';
import type { Target, TargetKey } from './target-health.ts';

/** Targets and their health are the gateway's own; the upstream is asked only whether the group exists. */
export function createTargetHandlers(parts: ElbParts): Record<string, Handler> {
  return {
    RegisterTargets: async (call) => {
      const group = await requireGroup(parts, call);
      for (const key of targetKeys(call, group)) await parts.targets.register(call.scope, group.arn, key);
      return elbAnswer(call, '');
    },
    DeregisterTargets: async (call) => {
      const group = await requireGroup(parts, call);
      for (const key of targetKeys(call, group)) {
        // Draining goes on after the answer.
        parts.targets.deregister(call.scope, group.arn, key).catch(() => undefined);
      }
      return elbAnswer(call, '');
    },
    DescribeTargetHealth: (call) => describeTargetHealth(parts, call),
  };
}

async function describeTargetHealth(parts: ElbParts, call: Call): Promise<Answer> {
  const group = await requireGroup(parts, call);
  const all = parts.targets.targets(group.arn);
  const asked = targetKeys(call, group);
  const chosen =
    asked.length === 0
      ? all
      : asked.map((key) => all.find((t) => t.id === key.id && t.port === key.port) ?? unregistered(key));
  const members = chosen.map(targetXml).join('');
  return elbAnswer(call, `<TargetHealthDescriptions>${members}</TargetHealthDescriptions>`);
}

async function requireGroup({ upstream }: ElbParts, call: Call): Promise<TargetGroup> {
  const arn = queryParams(call).get('TargetGroupArn') ?? '';
  const group = await loadTargetGroup(upstream, call.scope, arn);
  if (!group) throw new AwsError('TargetGroupNotFound', `Target group '${arn}' not found`);
  return group;
}

function targetKeys(call: Call, group: TargetGroup): TargetKey[] {
  return memberFields(queryParams(call), 'Targets').map(({ Id: id = '', Port: port }) => ({
    id,
    port: port === undefined ? group.port : Number(port),
  }));
}

type DescribedTarget = TargetKey & Pick<Target, 'state' | 'reason' | 'description'>;

function unregistered(key: TargetKey): DescribedTarget {
  return {
    ...key,
    state: 'unused',
    reason: 'Target.NotRegistered',
    description: 'Target is not registered to the target group',
  };
}

function targetXml(target: DescribedTarget): string {
  const reason = target.reason === undefined ? '' : `<Reason>${escapeXml(target.reason)}</Reason>`;
  const description =
    target.description === undefined ? '' : `<Description>${escapeXml(target.description)}</Description>`;
  return (
    `<member><Target><Id>${escapeXml(target.id)}</Id><Port>${target.port}</Port></Target><HealthCheckPort>${target.port}</HealthCheckPort>` +
    `<TargetHealth><State>${target.state}</State>${reason}${description}</TargetHealth></member>`
  );
}
