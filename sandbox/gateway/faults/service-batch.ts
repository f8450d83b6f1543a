import { z } from 'zod';
import { jsonAnswer } from '../answer.ts';
import { withJson, type Answer, type Call } from '../request.ts';

const request = z.looseObject({ services: z.array(z.string()) });
const answered = z.object({
  services: z.array(z.looseObject({ serviceName: z.string(), serviceArn: z.string() })).default([]),
  failures: z.array(z.looseObject({ arn: z.string().optional() })).default([]),
});

/** Whether a read looks at services, one or several at once. */
export function looksAtServices(call: Call): boolean {
  return call.service === 'ecs' && call.action === 'DescribeServices';
}

/** A look at several services as looks at one each: callers put them together as they come. Any other read is itself. */
export function splitRead(call: Call): readonly Call[] {
  if (!looksAtServices(call)) return [call];
  const input = request.safeParse(parsed(call.body));
  if (!input.success || input.data.services.length < 2) return [call];
  return input.data.services.map((name) => ({
    ...withJson(call, { ...input.data, services: [name] }),
    resource: name,
  }));
}

/** The part of an answer that is about one service. */
export function partOf(fresh: Answer, part: Call): Answer {
  if (fresh.status >= 300) return fresh;
  const body = answered.safeParse(parsed(fresh.body));
  const name = part.resource?.split('/').at(-1);
  if (!body.success || name === undefined) return fresh;
  const services = body.data.services.filter((s) => s.serviceName === name);
  const failures = body.data.failures.filter((f) => f.arn?.split('/').at(-1) === name);
  return jsonAnswer({ services, failures });
}

/** One answer out of those about one service each. */
export function joinAnswers(answers: readonly Answer[]): Answer {
  const bodies = answers.map((answer) => answered.parse(parsed(answer.body)));
  return jsonAnswer({ services: bodies.flatMap((b) => b.services), failures: bodies.flatMap((b) => b.failures) });
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
