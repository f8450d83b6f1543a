import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import { CheckedCommand } from '../../../src/cli/checked-command.ts';
import { addSettingsOptions, chosenSettings } from '../../../src/cli/settings-options.ts';

const folder = mkdtempSync(`${tmpdir()}/tenantry-settings-`);
const file = `${folder}/settings.json`;
writeFileSync(file, JSON.stringify({ services: { backend: { count: 1, cpu: 256 } }, seats: 3 }));
writeFileSync(`${folder}/list.json`, '[1]');
afterAll(() => rmSync(folder, { recursive: true }));

function chosen(...words: string[]): unknown {
  let said = '';
  const command = addSettingsOptions(new CheckedCommand('update'))
    .exitOverride()
    .configureOutput({ writeErr: (text) => (said += text) });
  try {
    command.parse(words, { from: 'user' });
  } catch {
    return said;
  }
  return chosenSettings(command.opts());
}

describe('the settings of a command line', () => {
  it('are JSON where that is what was written, and text otherwise', () => {
    const image = `registry:5000/team/app@sha256:${'0'.repeat(64)}`;
    expect(chosen('--set', `services.backend.image=${image}`, '--set', 'services.backend.count=3')).toEqual({
      services: { backend: { image, count: 3 } },
    });
    expect(chosen('--set', 'a=null', '--set', 'b=true', '--set', 'c=x=y', '--set', 'd=')).toEqual({
      ...{ a: null, b: true, c: 'x=y', d: '' },
    });
  });

  it('are those of a file, but for what is set beside it; none when nothing was chosen', () => {
    expect(chosen('--settings', file, '--set', 'services.backend.count=2')).toEqual({
      services: { backend: { count: 2, cpu: 256 } },
      seats: 3,
    });
    expect(chosen()).toBeUndefined();
  });

  it.each([
    [['--set', 'count'], '--set "count": must be <field>=<value>'],
    [['--set', 'services..count=1'], 'must be <field>=<value>'],
    [['--settings', `${folder}/none.json`], 'cannot be read: ENOENT'],
    [['--settings', `${folder}/list.json`], 'must hold a JSON object'],
  ])('are refused: %j', (words, said) => expect(chosen(...words)).toContain(said));
});
