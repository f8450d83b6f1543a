import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { registerSandbox } from '../../../sandbox/cli.ts';
import { imageTags } from '../../../sandbox/demo-app/image-tags.ts';
import { resolveImage } from '../../../sandbox/gateway/ecs/task-definition.ts';

function program(printed: string[] = []): Command {
  const program = new Command();
  registerSandbox(program);
  const sandbox = program.commands.find((command) => command.name() === 'sandbox')!;
  const template = sandbox.commands.find((command) => command.name() === 'template')!;
  template
    .exitOverride()
    .configureOutput({ writeErr: (text) => printed.push(text), writeOut: (text) => printed.push(text) });
  return program;
}

describe('the tag of a template', () => {
  it('that the demo does not know is refused with those that it knows', async () => {
    const printed: string[] = [];
    const refused = program(printed).parseAsync(['sandbox', 'template', 'nope'], { from: 'user' });
    await expect(refused).rejects.toMatchObject({ code: 'commander.invalidArgument' });
    expect(printed.join('')).toContain(`Allowed choices are ${Object.keys(imageTags).join(', ')}.`);
  });

  it('is listed in the help with what it does', async () => {
    const printed: string[] = [];
    await expect(program(printed).parseAsync(['sandbox', 'template', '--help'], { from: 'user' })).rejects.toThrow();
    const help = printed.join('').replaceAll(/\s+/g, ' ');
    for (const [tag, meaning] of Object.entries(imageTags)) expect(help).toContain(`"${tag}" ${meaning}`);
  });

  it('does in the sandbox what the help says', () => {
    const does = Object.keys(imageTags).map((tag) => {
      const image = resolveImage(`000000000000.dkr.ecr.us-east-1.amazonaws.com/moamalat-backend:${tag}`);
      return [tag, 'pullError' in image ? 'missing' : image.behavior];
    });
    expect(Object.fromEntries(does)).toEqual({
      ...{ '1.0': 'healthy', '1.1': 'healthy' },
      ...{ unhealthy: 'unhealthy', crash: 'crash', missing: 'missing' },
    });
  });
});
