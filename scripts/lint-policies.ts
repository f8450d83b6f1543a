/**
 * `tsx scripts/lint-policies.ts FILE`: IAM policies that test runs of Terraform ended with (JSON, by the run's name), by parliament, which is
 * installed into the user's cache the first time; and whether the policies of terraform/accounts hold what the kinds declare that use them.
 * Exit code 1 when something is wrong or parliament cannot be had.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { installParliament } from '../sandbox/parts/parliament.ts';
import { messageOf } from '../sandbox/parts/log.ts';
import { lackingForAccounts } from '../src/iam/accounts-policies.ts';
import { LONGEST_POLICY } from '../src/iam/policies.ts';
import { builtInKinds } from '../src/kinds/built-in.ts';

const policies = z.record(z.string(), z.array(z.object({ address: z.string(), policy: z.string() })));
const findings = z.array(z.object({ policy: z.string(), issue: z.string(), detail: z.string() }));

/** What parliament finds and is right all the same, each with why. */
const accepted: readonly {
  readonly issue: string;
  readonly in: RegExp;
  readonly detail: RegExp;
  readonly why: string;
}[] = [
  {
    issue: 'RESOURCE_MISMATCH',
    in: /"provisioning/,
    detail: /^(?!.*"arn:[^"]*:(?!listener(?:-rule)?\/net\/)[^:"]*").*listener(?:-rule)?\/net\//,
    why: 'rules of Application and of Network Load Balancers are told apart: one of the two is enough',
  },
  {
    issue: 'UNKNOWN_CONDITION_FOR_ACTION',
    in: /"provisioning/,
    detail: /elasticloadbalancing:CreateAction for action elasticloadbalancing:AddTags/,
    why: 'the reference has it; the data of parliament 1.6.4 are older',
  },
  {
    issue: 'RESOURCE_STAR',
    in: /"(?:provisioning|status-checker)/,
    detail: /^\[\["ecs:ListTasks"\]/,
    why: 'its resource is an instance, which Fargate does not have; the condition names the cluster',
  },
  {
    issue: 'RESOURCE_STAR',
    in: /aws_iam_policy\.stacks/,
    detail: /^\[\["cloudwatch:DescribeAlarms"\]/,
    why: 'CloudFormation lists alarms without a name',
  },
  {
    issue: 'INVALID_ARN',
    in: /aws_iam_role_policy\.execution\["migrate"\]/,
    detail: /"string": ""/,
    why: "the mocked RDS names no secret of its master user; the real one's is known after it is made",
  },
  {
    issue: 'RESOURCE_STAR',
    in: /aws_iam_policy\.tenant_boundary/,
    detail: /./,
    why: 'a boundary allows nothing: policies of roles name the resources',
  },
];

// Its exit code tells of the check alone.
const program = `
import json, sys, warnings
warnings.filterwarnings("ignore")
from parliament import analyze_policy_string
found = []
for name, text in json.load(sys.stdin).items():
    for one in analyze_policy_string(text).findings:
        found.append({"policy": name, "issue": one.issue, "detail": json.dumps([one.detail, one.location], default=str)})
print(json.dumps(found))
`;

try {
  const python = await installParliament((line) => console.error(`[policies] ${line}`));
  const [file = ''] = process.argv.slice(2);
  const said = problemsOf(python, policies.parse(JSON.parse(readFileSync(file, 'utf8'))));
  for (const one of said) console.log(one);
  if (said.length > 0) process.exitCode = 1;
} catch (error) {
  console.log(`the policies were not checked: ${messageOf(error)}`);
  process.exitCode = 1;
}

function problemsOf(python: string, byRun: z.output<typeof policies>): string[] {
  const named = Object.entries(byRun).flatMap(([run, list]) =>
    list.map(({ address, policy }) => [`${run}: ${address}`, policy] as const),
  );
  console.log(`${named.length} policies`);
  const tooLong = named.filter(([, text]) => text.length > LONGEST_POLICY);
  const accounts = Object.entries(byRun).flatMap(([run, list]) => accountsProblems(run, list));
  const found = lint(python, Object.fromEntries(named)).filter((one) => !isAccepted(one));
  const linted = found.map((one) => `${one.policy}: ${one.issue} ${one.detail}`);
  return [...tooLong.map(([name, text]) => `${name} has ${text.length} characters`), ...accounts, ...linted];
}

/** Runs that make accounts' policies and let workers make stacks. */
function accountsProblems(run: string, list: z.output<typeof policies>[string]): string[] {
  const texts = list.filter(({ address }) =>
    /\.aws_iam_policy\.(?:worker|stacks)$|^aws_iam_policy\.(?:worker|stacks)$/.test(address),
  );
  if (!texts.some(({ policy }) => policy.includes('cloudformation:CreateStack'))) return [];
  const lacking = lackingForAccounts(
    texts.map(({ policy }) => policy),
    builtInKinds,
  );
  return lacking.map((action) => `${run}: no policy of terraform/accounts allows ${action}`);
}

function isAccepted({ policy, issue, detail }: z.output<typeof findings>[number]): boolean {
  return accepted.some((one) => one.issue === issue && one.in.test(policy) && one.detail.test(detail));
}

function lint(python: string, texts: Readonly<Record<string, string>>): z.output<typeof findings> {
  const { error, status, stdout, stderr } = spawnSync(python, ['-c', program], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(stderr);
  return findings.parse(JSON.parse(stdout));
}
