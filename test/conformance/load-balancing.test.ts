import { randomUUID } from 'node:crypto';
import {
  CreateRuleCommand,
  CreateTargetGroupCommand,
  DeleteRuleCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
  SetRulePrioritiesCommand,
  ModifyTargetGroupCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Step } from '../../src/contracts/blueprint.ts';
import { ecsService } from '../../src/kinds/ecs-service/kind.ts';
import { listenerNotice } from '../../src/kinds/listener-notice/kind.ts';
import { listenerRule } from '../../src/kinds/listener-rule/kind.ts';
import { targetGroup } from '../../src/kinds/target-group/kind.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { NOTICE_STEP } from '../../src/products/suspension.ts';
import { describeKinds, sampleOf, type HandChange, type HandPlace, type Sample } from '../../testing/index.ts';
import { faultSample, recordFaults } from './record-faults.ts';
import { sharedParts } from './shared-parts.ts';

const withSpec = (change: object) => (step: Step) => ({ ...step, spec: { ...step.spec, ...change } });

const clientOf = ({ cell, credentials, endpointUrl }: HandPlace) =>
  new ElasticLoadBalancingV2Client({ endpoint: endpointUrl, region: cell.region, credentials });

async function someTargetGroup(at: HandPlace): Promise<string> {
  const Name = `other-${randomUUID().slice(0, 8)}`;
  const made = await clientOf(at).send(
    new CreateTargetGroupCommand({ Name, VpcId: at.cell.vpcId, Port: 80, Protocol: 'HTTP', TargetType: 'ip' }),
  );
  return made.TargetGroups![0]!.TargetGroupArn!;
}

const otherHealthPath: HandChange = {
  name: 'it was given another health path',
  change: (at) =>
    clientOf(at).send(
      new ModifyTargetGroupCommand({ TargetGroupArn: String(at.outputs['arn']), HealthCheckPath: '/by-hand' }),
    ),
};

const otherInterval: HandChange = {
  name: 'it was given another interval of health checks',
  change: (at) =>
    clientOf(at).send(
      new ModifyTargetGroupCommand({ TargetGroupArn: String(at.outputs['arn']), HealthCheckIntervalSeconds: 10 }),
    ),
};

const misroutedRule: HandChange = {
  name: 'it was given another target group',
  async change(at) {
    const Actions = [{ Type: 'forward' as const, TargetGroupArn: await someTargetGroup(at) }];
    await clientOf(at).send(new ModifyRuleCommand({ RuleArn: String(at.outputs['arn']), Actions }));
  },
};

const otherNotice: HandChange = {
  name: 'it was given another answer',
  async change(at) {
    const FixedResponseConfig = { StatusCode: '404', ContentType: 'text/plain', MessageBody: 'Gone' };
    const Actions = [{ Type: 'fixed-response' as const, FixedResponseConfig }];
    await clientOf(at).send(new ModifyRuleCommand({ RuleArn: String(at.outputs['arn']), Actions }));
  },
};

const otherPlace: HandChange = {
  name: 'it was made for another host, and moved out of its band',
  async change(at) {
    const RuleArn = String(at.outputs['arn']);
    const Conditions = [{ Field: 'host-header', Values: [`other-${randomUUID().slice(0, 8)}.example.com`] }];
    await clientOf(at).send(new ModifyRuleCommand({ RuleArn, Conditions }));
    const Priority = Number(at.outputs['priority']) + 24_500;
    await clientOf(at).send(new SetRulePrioritiesCommand({ RulePriorities: [{ RuleArn, Priority }] }));
  },
};

/** Of a suspended tenant: nothing needs to be there for it. */
const notice: Sample = {
  ...{ name: NOTICE_STEP, product: moamalat, tier: null },
  steps: (request) =>
    moamalat
      .resolve({ ...request, mode: 'suspended' })
      .steps.filter(({ id }) => id === NOTICE_STEP)
      .map((step) => ({ ...step, removeAfter: undefined })),
  revised: withSpec({ message: 'Back at noon' }),
  handChanges: [otherNotice, otherPlace],
};

const shadows = new Map<string | undefined, string>();
const shadowedRule: HandChange = {
  name: 'an earlier rule answers in its place',
  async change(at) {
    const made = await clientOf(at).send(
      new CreateRuleCommand({
        ListenerArn: at.cell.loadBalancers[0]!.httpsListenerArn,
        Priority: 1 + shadows.size,
        Conditions: [{ Field: 'host-header', Values: [at.host!] }],
        Actions: [{ Type: 'forward', TargetGroupArn: await someTargetGroup(at) }],
      }),
    );
    shadows.set(at.host, made.Rules![0]!.RuleArn!);
  },
  takeBack: (at) => clientOf(at).send(new DeleteRuleCommand({ RuleArn: shadows.get(at.host) })),
};

/** With a second target group, to which it can be brought. */
const rule: Sample = {
  ...sampleOf(moamalat, 'create_alb_rule:backend'),
  steps: (request) => [
    ...sampleOf(moamalat, 'create_target_group:frontend').steps(request),
    ...sampleOf(moamalat, 'create_alb_rule:backend')
      .steps(request)
      .slice(-2)
      .map((step) => ({ ...step, needs: [...step.needs, 'create_target_group:frontend'] })),
  ],
  revised: withSpec({ targetGroupArn: { ref: 'create_target_group:frontend.arn' } }),
  handChanges: [misroutedRule, shadowedRule, otherPlace],
};

describeKinds(
  [
    {
      kind: targetGroup,
      samples: [
        {
          ...sampleOf(moamalat, 'create_target_group:backend'),
          revised: withSpec({ healthPath: '/another' }),
          handChanges: [otherHealthPath, otherInterval],
        },
      ],
    },
    {
      kind: listenerRule,
      samples: [rule],
    },
    { kind: listenerNotice, samples: [notice] },
    {
      kind: ecsService,
      samples: [
        {
          ...sampleOf(moamalat, 'deploy_backend'),
          revised: withSpec({ desiredCount: 2 }),
          handChanges: [shadowedRule],
        },
      ],
    },
  ],
  { parts: sharedParts, onFaults: recordFaults, faultSample },
);
