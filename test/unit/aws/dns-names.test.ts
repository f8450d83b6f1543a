import { describe, expect, it } from 'vitest';
import { plainName } from '../../../src/aws/dns-names.ts';

describe('plainName', () => {
  it.each([
    ['Acme.Moamalat-Pro.com.', 'acme.moamalat-pro.com'],
    ['\\052.moamalat-pro.com.', '*.moamalat-pro.com'],
    ['_tenantry.acme.moamalat-pro.com', '_tenantry.acme.moamalat-pro.com'],
  ])('%s is %s', (name, plain) => expect(plainName(name)).toBe(plain));
});
