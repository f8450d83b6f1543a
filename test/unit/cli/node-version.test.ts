import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { nodeAdvice } from '../../../src/cli/node-version.ts';
import { node24Directory } from '../../../scripts/with-node-24.ts';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

describe('the advice on Node', () => {
  it('is one line, and only under a version that gets no security fixes', () => {
    expect(nodeAdvice('v20.19.0')).toBe(
      'Node 20.19.0 gets no security fixes anymore; Tenantry runs, but Node 24 is recommended',
    );
    expect(nodeAdvice('v22.12.0')).toBeUndefined();
    expect(nodeAdvice('v24.1.0')).toBeUndefined();
  });

  it('names the version that .nvmrc and the README recommend', () => {
    const recommended = read('.nvmrc').trim();
    expect(nodeAdvice('v20.19.0')).toContain(`Node ${recommended} `);
    expect(read('README.md')).toContain(`Node >= 20.19 (${recommended} recommended`);
  });

  it('stands in for the warning of the AWS SDK, which the command line switches off for its own process', () => {
    const bin = fileURLToPath(new URL('bin/tenantry.js', root));
    const loadSdk = [
      `process.argv = [process.argv[0], ${JSON.stringify(bin)}, '--version'];`,
      `await import(${JSON.stringify(bin)});`,
      `const { STSClient } = await import('@aws-sdk/client-sts');`,
      `new STSClient({ region: 'us-east-1' });`,
      // An old version, whatever runs this test.
      `const { emitWarningIfUnsupportedVersion } = await import('@aws-sdk/core/client');`,
      `emitWarningIfUnsupportedVersion('v20.19.0');`,
    ].join('\n');
    const { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: _ignored, ...env } = process.env;
    const printed = execFileSync(
      'sh',
      ['-c', 'exec "$0" "$@" 2>&1', process.execPath, '--input-type=module', '-e', loadSdk],
      {
        cwd: root,
        env,
        encoding: 'utf8',
      },
    );
    expect(printed.trim().split('\n')).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
  });
});

describe('a platform without a pinned build of Node 24', () => {
  it('is told that the run under it is skipped', async () => {
    const told: string[] = [];
    expect(await node24Directory('darwin-arm64', (line) => told.push(line))).toBeUndefined();
    expect(told).toEqual([
      `skipped: npm has no pinned build for darwin-arm64; the command runs under ${process.version}`,
    ]);
  });
});
