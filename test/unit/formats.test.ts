import { describe, expect, it } from 'vitest';
import { awsArn, awsRegion, dnsLabel, domain, emailAddress } from '../../src/formats.ts';

const label63 = 'a'.repeat(63);
const longest = `${[label63, label63, label63].join('.')}.${'b'.repeat(61)}`;

/** What each format takes, and what it refuses. */
const table = {
  dnsLabel: [
    dnsLabel,
    ['a', '0', 'a-b', 'xn--mgbaam7a8h', label63],
    ['', '-a', 'a-', 'A', 'a.b', 'a_b', `${label63}a`],
  ],
  domain: [
    domain,
    ['a.co', 'xn--mgbaam7a8h.xn--mgberp4a5d4ar', 'a.xn--p1ai', '1.example.museum', 'a.b2', longest],
    [
      'localhost',
      'a.b.',
      '.a.b',
      'a..b',
      '10.0.0.1',
      'A.co',
      'a_b.co',
      'مثال.السعودية',
      `${longest}c`,
      `${label63}a.co`,
    ],
  ],
  emailAddress: [
    emailAddress,
    [
      ...['a@b.co', 'a.b+c@sub.example.com', "o'b!/x@b.co", 'A@B.Co', 'a@xn--mgbaam7a8h.xn--mgberp4a5d4ar'],
      ...[`${'a'.repeat(64)}@b.co`, 'a@b.xn--p1ai'],
    ],
    [
      ...[
        '',
        'a',
        'a@',
        '@b.co',
        'a@localhost',
        '.a@b.co',
        'a.@b.co',
        'a..b@c.de',
        'a b@c.de',
        '"a b"@c.de',
        'a@b@c.de',
      ],
      ...[
        'a@[10.0.0.1]',
        'a@10.0.0.1',
        'a@b.co\n',
        `${'a'.repeat(65)}@b.co`,
        `${'a'.repeat(10)}@${longest}`,
        'a@مثال.السعودية',
      ],
    ],
  ],
  awsRegion: [
    awsRegion,
    [
      ...['eu-central-1', 'us-gov-west-1', 'cn-northwest-1', 'us-iso-east-1', 'us-isob-east-1', 'eu-isoe-west-1'],
      ...['eusc-de-east-1', 'mx-central-1', 'ap-southeast-7', 'us-isof-south-1'],
    ],
    ['', 'eu-central', 'eu-central-1a', 'EU-central-1', 'global', 'eu central 1'],
  ],
  awsArn: [
    awsArn('iam'),
    ['aws', 'aws-cn', 'aws-us-gov', 'aws-iso', 'aws-iso-b', 'aws-iso-e', 'aws-iso-f', 'aws-eusc'].map(
      (partition) => `arn:${partition}:iam::123456789012:role/path/to/role`,
    ),
    ['', 'arn:aws:ecs:eu-central-1:1:x', 'arn:azure:iam::1:x', 'role/x'],
  ],
} as const;

describe.each(Object.entries(table))('%s', (_, [format, taken, refused]) => {
  it.each(taken)('takes %j', (text) => expect(format.safeParse(text).success).toBe(true));
  it.each(refused)('refuses %j', (text) => expect(format.safeParse(text).success).toBe(false));
});
