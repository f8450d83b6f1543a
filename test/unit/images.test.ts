import { describe, expect, it } from 'vitest';
import { imageByDigest, imageRepository } from '../../src/images.ts';

describe('imageRepository', () => {
  it.each([
    ['app', 'app'],
    ['app:1.0', 'app'],
    ['team/app@sha256:abc', 'team/app'],
    ['registry:5000/team/app', 'registry:5000/team/app'],
    ['registry:5000/team/app:1@sha256:abc', 'registry:5000/team/app'],
  ])('%s is of %s', (image, repository) => expect(imageRepository(image)).toBe(repository));
});

describe('an image by its digest', () => {
  const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

  it.each([`team/app@${digest}`, `registry:5000/team/app@${digest}`, `team/app:1.2@${digest}`])('is %s', (image) =>
    expect(imageByDigest.safeParse(image).success).toBe(true),
  );

  it.each(['team/app', 'team/app:1.2', `team/app@sha256:${'A'.repeat(64)}`, `@${digest}`, `team/app@${digest} `])(
    'is not %s',
    (image) => expect(imageByDigest.safeParse(image).success).toBe(false),
  );
});
