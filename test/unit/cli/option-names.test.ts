import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  abandonBody,
  changeTenantBody,
  createTenantBody,
  scaleTenantBody,
} from '../../../src/api/schemas/request-bodies.ts';
import { deleteQuery, eventsQuery } from '../../../src/api/schemas/parameters.ts';
import { listQuery } from '../../../src/api/schemas/lists.ts';
import {
  changeAccountBody,
  createAccountBody,
  deleteAccountQuery,
  listAccountsQuery,
} from '../../../src/api/accounts/schemas.ts';
import { auditQuery, exportQuery } from '../../../src/api/audit-schemas.ts';
import {
  deliveriesQuery,
  deliveryParams,
  rotateWebhookBody,
  webhookBody,
  webhookPatch,
  webhooksQuery,
} from '../../../src/api/webhook-schemas.ts';
import { technicalUser } from '../../../src/products/accounts/settings.ts';
import { inOptionNames, withOptions } from '../../../src/cli/option-names.ts';
import { buildProgram } from '../../../src/cli/program.ts';

const requests = [
  ['create', 'body', createTenantBody],
  ['update', 'body', changeTenantBody],
  ['scale', 'body', scaleTenantBody],
  ['abandon', 'body', abandonBody],
  ['list', 'querystring', listQuery],
  ['delete', 'querystring', deleteQuery],
  ['events', 'querystring', eventsQuery],
] as const;
/** What the command sets by itself. */
const ownFields = ['body.by'];

describe('a field of the API', () => {
  const groups = buildProgram().commands;
  const tenants = groups.find((command) => command.name() === 'tenants');
  const accounts = groups.find((command) => command.name() === 'accounts');
  const fields = requests.flatMap(([command, where, schema]) =>
    Object.keys(schema.shape)
      .map((name) => [command, `${where}.${name}`] as const)
      // The pages of events are the command's own affair.
      .filter(([, field]) => !ownFields.includes(field) && !(command === 'events' && field.endsWith('.limit'))),
  );

  it.each(fields)('of %s, %s, is called what the command calls it', (name, field) => {
    const option = inOptionNames(field);
    const known = tenants?.commands.find((command) => command.name() === name)?.options.map(({ long }) => long);
    for (const each of option.split(' or ')) expect(known).toContain(each);
  });

  it('of an account is called what the command of accounts calls it, with the place inside of it', () => {
    const command = (name: string) => accounts?.commands.find((each) => each.name() === name);
    const fields = [
      ...Object.keys(createAccountBody.shape).map((name) => ['create', `body.${name}`] as const),
      ...Object.keys(changeAccountBody.shape).map((name) => ['update', `body.${name}`] as const),
      ...['create', 'update'].flatMap((verb) => [
        [verb, 'body'] as const,
        ...Object.keys(technicalUser.shape).map((name) => [verb, `body.technicalUser.${name}`] as const),
      ]),
      ...Object.keys(listAccountsQuery.shape).map((name) => ['list', `querystring.${name}`] as const),
      ...Object.keys(deleteAccountQuery.shape).map((name) => ['delete', `querystring.${name}`] as const),
    ];
    for (const [name, field] of fields) {
      const known = command(name)?.options.map(({ long }) => long);
      const [said] = inOptionNames(`${field}: no`).split(': ');
      for (const each of said!.split(' and ')) expect(known, field).toContain(each);
    }
    expect(inOptionNames('body.licenses.0.endDate: no; body.name: no')).toBe('--license 0.endDate: no; --name: no');
    expect(withOptions({ fields: [{ field: 'body.licenses.0', problem: 'no' }] })).toEqual({
      fields: [{ field: 'body.licenses.0', problem: 'no', option: '--license' }],
    });
  });

  it('of webhooks and of the audit is called what their commands call it', () => {
    const group = (name: string) => groups.find((each) => each.name() === name);
    const named: readonly (readonly [string, string, string, z.ZodObject])[] = [
      ['webhooks', 'create', 'body', webhookBody],
      ['webhooks', 'change', 'body', webhookPatch],
      ['webhooks', 'rotate', 'body', rotateWebhookBody.unwrap().unwrap()],
      ['webhooks', 'list', 'querystring', webhooksQuery],
      ['webhooks', 'deliveries', 'querystring', deliveriesQuery],
      ['webhooks', 'replay', 'params', deliveryParams],
      ['audit', 'list', 'querystring', auditQuery],
      ['audit', 'export', 'querystring', exportQuery],
    ];
    for (const [of, name, where, { shape }] of named) {
      const command = group(of)?.commands.find((each) => each.name() === name);
      const usage = `${command?.usage()} ${command?.options.map(({ flags }) => flags).join(' ')}`;
      for (const field of Object.keys(shape))
        for (const each of inOptionNames(`${where}.${field}`).split(' or ')) expect(usage, field).toContain(each);
    }
    expect(inOptionNames('it is not as If-Match has it')).toBe('it is not as --if-match has it');
  });

  it('that several options make up is spoken of in the plural', () => {
    const both = '--technical-user-name and --technical-user-email';
    const said = inOptionNames('body.name: is required; body.technicalUser: is required; body.tier: is required');
    expect(said).toBe(`--name: is required; ${both}: are required; --tier: is required`);
    expect(inOptionNames('body.technicalUser.email: is required')).toBe('--technical-user-email: is required');
    expect(inOptionNames('body.technicalUser: must be an object')).toBe(`${both}: must be an object`);
  });

  it('that is unknown is one of the file', () => {
    expect(inOptionNames('body: unknown field "tier"')).toBe('--file: unknown field "tier"');
    expect(inOptionNames('body.name: no; body: unknown')).toBe('--name: no; --file: unknown');
    expect(withOptions({ fields: [{ field: 'body', problem: 'no' }] })).toEqual({
      fields: [{ field: 'body', problem: 'no', option: '--file' }],
    });
    expect(inOptionNames('the request body: it is too large')).toBe('the request body: it is too large');
  });

  it('that has no option is shown as it is', () => {
    expect(inOptionNames('body.color: is not known')).toBe('body.color: is not known');
    const details = { fields: [{ field: 'body.color', problem: 'no' }], more: 1 };
    expect(withOptions(details)).toEqual(details);
  });

  it('that is a setting is named as the option that chooses it', () => {
    const field = 'body.settings.services.backend.count';
    expect(inOptionNames(`${field}: no; body.settings: no`)).toBe(
      '--set services.backend.count: no; --set or --settings: no',
    );
    expect(withOptions({ fields: [{ field, problem: 'no' }] })).toEqual({
      fields: [{ field, problem: 'no', option: '--set' }],
    });
  });

  it('is named so within a sentence, and in the details beside its own name', () => {
    expect(inOptionNames('body.contactEmail: no; body.slug: no')).toBe('--email: no; --slug: no');
    expect(withOptions({ fields: [{ field: 'body.contactEmail', problem: 'no' }] })).toEqual({
      fields: [{ field: 'body.contactEmail', problem: 'no', option: '--email' }],
    });
  });
});
