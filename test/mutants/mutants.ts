/** One text of a source file, which must occur exactly once, and what stands in its place. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Tests that must fail on a mutant: a file of a vitest project, and a pattern for their full names. */
export interface Detector {
  readonly project: 'sagas' | 'chaos' | 'conformance' | 'integration' | 'unit';
  readonly file: string;
  readonly tests: string;
}

/** A mistake that somebody could really make in a system like this one. */
export interface Mutant {
  readonly id: string;
  readonly mistake: string;
  readonly edits: readonly Edit[];
  readonly detector: Detector;
}

const saga = (tests: string): Detector => ({ project: 'sagas', file: 'test/sagas/properties.test.ts', tests });
const promise = (tests: string): Detector => ({ project: 'chaos', file: 'test/chaos/promises.test.ts', tests });

/** The known mistakes, each with the tests that are there to catch it. */
export const mutants: readonly Mutant[] = [
  {
    id: 'late-undo',
    mistake: 'the undo is registered after the call that it takes back',
    edits: [
      {
        file: 'src/workflows/executor/walk.ts',
        from: '  markForUndo(run, step); // before the command is issued: whatever comes back\n',
        to: '',
      },
      {
        file: 'src/workflows/executor/walk.ts',
        from: '    const answer = await ensure(run, step);\n    noteTenantStatus(run, answer.tenantStatus);\n    run.outputs',
        to: '    const answer = await ensure(run, step);\n    markForUndo(run, step);\n    noteTenantStatus(run, answer.tenantStatus);\n    run.outputs',
      },
    ],
    detector: saga('fails after the effect of create_log_group:backend rolls back'),
  },
  {
    id: 'no-mark',
    mistake: 'a resource is made without its ownership mark',
    edits: [
      {
        file: 'src/kinds/log-group/kind.ts',
        from: 'aws.logs.createLogGroup(name, tags)',
        to: 'aws.logs.createLogGroup(name, {})',
      },
    ],
    detector: saga('makes the same when every step is executed twice'),
  },
  {
    id: 'token-per-attempt',
    mistake: 'the idempotency token is new at every attempt',
    edits: [
      {
        file: 'src/naming.ts',
        from: 'sha256(JSON.stringify([operationId, stepId, generation, part]))',
        to: 'sha256(JSON.stringify([operationId, stepId, generation, part, Math.random()]))',
      },
    ],
    detector: promise('an idempotency token of CreateService'),
  },
  {
    id: 'swallowed-error',
    mistake: 'the undo swallows an error and goes on as if all were well',
    edits: [
      {
        file: 'src/activities/remove-verb.ts',
        from: 'const removed = await callKind(run, removingAt);',
        to: "const removed = await callKind(run, removingAt).catch((): Removed => ({ status: 'removed' }));",
      },
    ],
    detector: saga('whose undo keeps failing at create_target_group:backend ends stuck'),
  },
  {
    id: 'late-intent',
    mistake: 'the intent row is written after the call',
    edits: [
      {
        file: 'src/activities/ensure-verb.ts',
        from: 'const intent = committed ? alreadyCommitted : await intend(run, resources);',
        to: "const late = !committed && verbOptions(run.key.kind, 'ensure').heartbeatMs === undefined;\n  const intent = committed || late ? alreadyCommitted : await intend(run, resources);",
      },
      {
        file: 'src/activities/ensure-verb.ts',
        from: 'const ensured = await callKind(run, progress);',
        to: 'const ensured = await callKind(run, progress);\n  if (late) progress.intent = await intend(run, resources);',
      },
    ],
    detector: saga('fails after the effect of create_log_group:frontend rolls back'),
  },
  {
    id: 'dns-last',
    mistake: 'the DNS record goes after the services that it points at',
    edits: [
      {
        file: 'src/products/service-steps.ts',
        from: '      removeAfter: [record],\n',
        to: '',
      },
      {
        file: 'src/products/moamalat/product.ts',
        from: "        needs: ['create_alb_rule:backend', 'create_alb_rule:frontend'],\n",
        to: "        needs: ['validate'],\n        removeAfter: ['deploy_backend', 'deploy_frontend'],\n",
      },
    ],
    detector: promise('DNS goes before all that it points at when a tenant is deprovisioned'),
  },
  {
    id: 'blind-adoption',
    mistake: 'a resource of the right name is adopted without a look at its owner',
    edits: [
      {
        file: 'src/kinds/framework/define-kind.ts',
        from: 'if (found && !isOwn(context, found))',
        to: "if (found?.physicalId === '')",
      },
    ],
    detector: promise('what is somebody else’s a log group at a tenant’s name'),
  },
  {
    id: 'old-deployment',
    mistake: 'readiness accepts the old deployment that the circuit breaker brought back',
    edits: [
      {
        file: 'src/kinds/ecs-service/verdict.ts',
        from: '  if (primary.taskDefinitionArn !== wanted.taskDefinitionArn)\n    return otherPrimary(service, { primary, stopped, wanted }, now);\n',
        to: '',
      },
    ],
    // A whole run may see the new one fail before its circuit breaker brings the old one back.
    detector: {
      project: 'unit',
      file: 'test/unit/activities/kinds/ecs-service-verdict.test.ts',
      tests: "deployment probe fails after a circuit breaker's return",
    },
  },
  {
    id: 'page-for-refusal',
    mistake: "a proxy's page of status 403 is taken for AWS's refusal",
    edits: [
      {
        file: 'src/aws/errors.ts',
        from: "return status === 429 ? 'THROTTLED' : 'AWS_ANSWER_UNREADABLE';",
        to: "return status === 429 ? 'THROTTLED' : status === 403 ? 'ACCESS_DENIED' : 'AWS_ANSWER_UNREADABLE';",
      },
    ],
    detector: {
      project: 'integration',
      file: 'test/aws/unreadable-answers.test.ts',
      tests: 'a page, 403',
    },
  },
  {
    id: 'reaching-removal',
    mistake: 'a schema goes with all that hangs on it, without a look at whose that is',
    edits: [
      {
        file: 'src/db/tenant-schema-removal.ts',
        from: "  await refuseHeld(client, removal, 'nothing was touched');\n",
        to: '',
      },
      {
        file: 'src/db/tenant-schema-removal.ts',
        from: 'drop owned by ${quoted} restrict',
        to: 'drop owned by ${quoted} cascade',
      },
    ],
    detector: {
      project: 'integration',
      file: 'test/db/tenant-dependents.test.ts',
      tests: 'a view. alive touches nothing',
    },
  },
  {
    id: 'any-200',
    mistake: 'readiness takes any page at the address for the tenant’s own',
    edits: [
      {
        file: 'src/kinds/ecs-service/kind.ts',
        from: 'const route = await routeProbe(context);',
        to: "const route: ProbeResult = { status: 'ok', detail: 'whoever answers' };",
      },
    ],
    detector: {
      project: 'integration',
      file: 'test/activities/kinds/ecs-service.test.ts',
      tests: 'answers every host of the zone with 200',
    },
  },
  {
    id: 'stripped-is-gone',
    mistake: 'a thing whose tags somebody took off counts as gone, though the ledger holds it as made',
    edits: [
      {
        file: 'src/activities/step-run.ts',
        from: 'refuseLost(lostOf(found, made), ',
        to: 'refuseLost(lostOf([], made), ',
      },
    ],
    detector: {
      project: 'conformance',
      file: 'test/conformance/other-kinds.test.ts',
      tests: 'log-group.*is still present, and named, when it lost its mark',
    },
  },
  {
    id: 'unclear-is-undone',
    mistake: 'a commit without an answer is answered as if nothing had happened',
    edits: [
      {
        file: 'src/db/database.ts',
        from: 'if (await wasCommitted(pool, done, error)) return done.answer;',
        to: 'await wasCommitted(pool, done, error).catch(() => false);',
      },
    ],
    detector: {
      project: 'integration',
      file: 'test/db/unclear-commits.test.ts',
      tests: 'answers as any other when PostgreSQL committed it|stays unavailable',
    },
  },
  {
    id: 'undo-drops-applied',
    mistake: 'an undo drops a step that the last successful operation made',
    edits: [
      {
        file: 'src/activities/remove-verb.ts',
        from: 'if (applied?.steps.some(',
        to: 'if (applied?.steps.every(',
      },
    ],
    detector: {
      project: 'integration',
      file: 'test/activities/bookkeeping.test.ts',
      tests: 'keeps what is applied and ready, also on the way back',
    },
  },
  {
    id: 'forgotten-step',
    mistake: 'a removal leaves out the steps of the ledger that its own blueprint does not name',
    edits: [
      {
        file: 'src/db/walk-facts.ts',
        from: 'held: begun.map(',
        to: 'held: begun.filter(({ stepId }) => named.has(stepId)).map(',
      },
    ],
    detector: {
      project: 'integration',
      file: 'test/activities/bookkeeping.test.ts',
      tests: 'to nothing drops also a step that only the ledger knows',
    },
  },
];
