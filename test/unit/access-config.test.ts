import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { accessOf, accessVariables, checkAccess } from '../../src/access-config.ts';

const environment = z.object(accessVariables).superRefine(checkAccess);
const read = (given: Record<string, string>) => accessOf(environment.parse(given));
const problemsOf = (given: Record<string, string>) =>
  environment.safeParse(given).error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [];
const issuer = { TENANTRY_OIDC_ISSUER: 'https://id.example.com/realms/a/', TENANTRY_OIDC_AUDIENCE: 'tenantry' };

describe('who may call', () => {
  it('is nobody but the local operator, unless it says so', () => {
    expect(read({})).toEqual({ oidc: undefined, serviceKeys: false, trustedProxies: [], publicHosts: [] });
  });

  it('is whom an issuer vouches for: its name is kept character by character', () => {
    expect(read(issuer).oidc).toEqual({
      issuer: 'https://id.example.com/realms/a/',
      audience: 'tenantry',
      rolesClaim: 'tenantry_roles',
      tenantsClaim: 'tenantry_tenants',
      algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    });
    expect(read({ ...issuer, TENANTRY_OIDC_ALGORITHMS: 'ES256, RS256' }).oidc?.algorithms).toEqual(['ES256', 'RS256']);
    expect(read({ ...issuer, TENANTRY_OIDC_ISSUER: 'http://127.0.0.1:9000' }).oidc?.issuer).toBe(
      'http://127.0.0.1:9000',
    );
  });

  it.each([
    'http://id.example.com',
    'https://id.example.com?realm=a',
    'https://id.example.com#a',
    'https://me:secret@id.example.com',
    'http://localhost.example.com',
    'ftp://localhost',
    'id.example.com',
  ])('cannot be told by the issuer %s', (TENANTRY_OIDC_ISSUER) => {
    expect(problemsOf({ ...issuer, TENANTRY_OIDC_ISSUER }).join()).toContain(
      'TENANTRY_OIDC_ISSUER must be an https://',
    );
  });

  it.each(['none', 'HS256', 'RS256,HS512', 'rs256', 'RS1', 'RSA-OAEP'])('is signed by no algorithm %s', (alg) => {
    expect(problemsOf({ ...issuer, TENANTRY_OIDC_ALGORITHMS: alg }).join()).toContain('TENANTRY_OIDC_ALGORITHMS');
  });

  it('needs issuer and audience together', () => {
    const [first, second] = Object.entries(issuer).map(([name, value]) => ({ [name]: value }));
    expect(problemsOf(first ?? {}).join()).toContain('TENANTRY_OIDC_AUDIENCE is not set');
    expect(problemsOf(second ?? {}).join()).toContain('TENANTRY_OIDC_ISSUER is not set');
  });
});

describe('how the API is reached', () => {
  it('is by names and proxies that it is told', () => {
    const given = {
      TENANTRY_TRUSTED_PROXIES: '10.0.0.0/16, fd00::/8',
      TENANTRY_PUBLIC_HOSTS: 'Tenantry.example.com,b:8443',
    };
    expect(read(given)).toMatchObject({
      trustedProxies: ['10.0.0.0/16', 'fd00::/8'],
      publicHosts: ['tenantry.example.com', 'b:8443'],
    });
  });

  it.each(['10.0.0.0', '10.0.0.0/33', '0.0.0.0/0', '::/0', '10.0.0/8', 'proxy/8', '10.0.0.0/8,', '10.0.0.0/8/8'])(
    'cannot be by the proxies %s',
    (TENANTRY_TRUSTED_PROXIES) => {
      expect(problemsOf({ TENANTRY_TRUSTED_PROXIES }).join()).toContain('TENANTRY_TRUSTED_PROXIES must be');
    },
  );

  it.each(['https://a.example', '*.example.com', 'a b', 'a,', '-a.example', 'a/b', 'user@a'])(
    'cannot be by the name %s',
    (TENANTRY_PUBLIC_HOSTS) => {
      expect(problemsOf({ TENANTRY_PUBLIC_HOSTS }).join()).toContain('TENANTRY_PUBLIC_HOSTS must be');
    },
  );
});
