import swagger from '@fastify/swagger';
import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { announceDeprecations } from '../../src/api/deprecation.ts';
import { createApiFixture, type ApiFixture } from './api-fixture.ts';

const since = new Date('2026-01-01T00:00:00Z');
const config = (sunset: string) => ({
  deprecation: { since, sunset: new Date(sunset), link: 'https://docs.example/old' },
});

describe('a deprecated route', () => {
  it('says so in its answers and in the description', async () => {
    const app = fastify();
    announceDeprecations(app);
    await app.register(swagger, { openapi: { openapi: '3.1.0' } });
    await app.register((routes, _options, done) => {
      routes.get('/old', { config: config('2026-07-01'), schema: { deprecated: true } }, () => 'old');
      routes.get('/new', () => 'new');
      done();
    });
    await app.ready();
    const { headers } = await app.inject('/old');
    expect(headers).toMatchObject({
      deprecation: '@1767225600',
      sunset: 'Wed, 01 Jul 2026 00:00:00 GMT',
      link: '<https://docs.example/old>; rel="deprecation"; type="text/html"',
    });
    expect((await app.inject('/new')).headers).not.toHaveProperty('deprecation');
    const paths = app.swagger().paths as Record<string, { get: { deprecated?: boolean } }>;
    expect([paths['/old']?.get.deprecated, paths['/new']?.get.deprecated]).toEqual([true, undefined]);
    await app.close();
  });

  it('keeps the API from starting when it is not announced, or too late', () => {
    const app = fastify();
    announceDeprecations(app);
    const route = (options: object) => () => app.get('/old', options, () => 'old');
    expect(route({ schema: { deprecated: true } })).toThrow('or neither');
    expect(route({ config: config('2027-01-01') })).toThrow('or neither');
    expect(route({ config: config('2026-06-01'), schema: { deprecated: true } })).toThrow('less than 180 days');
  });
});

describe('the description', () => {
  let api: ApiFixture;
  beforeAll(async () => {
    api = await createApiFixture();
  });
  afterAll(() => api.close());

  it('says of each route how a caller who may not is refused', async () => {
    const { paths } = (await api.app.inject('/openapi.json')).json<{
      paths: Record<string, Record<string, { responses: Record<string, { description: string }> }>>;
    }>();
    const said = (path: string, method = 'get') => {
      const { 401: unknown, 403: refused } = paths[path]?.[method]?.responses ?? {};
      return [unknown?.description, refused?.description];
    };
    expect(said('/api/v1/tenants/{tenantId}')).toEqual(['UNAUTHENTICATED', 'FORBIDDEN, TENANT_MISMATCH']);
    expect(said('/api/v1/freezes', 'post')).toEqual(['UNAUTHENTICATED', 'FORBIDDEN']);
    expect(said('/healthz')).toEqual([undefined, undefined]);
    expect(said('/readyz')).toEqual([undefined, undefined]);
  });
});
