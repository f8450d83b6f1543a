import { describe, expect, it } from 'vitest';
import { welcomeMail } from '../../src/mail/welcome.ts';

const input = {
  displayName: 'Acme <Corp>',
  tenantUrl: 'https://acme.moamalat-pro.com',
  userName: 'admin@acme.example',
};

describe.each(['en', 'ar'] as const)('the welcome mail in %s', (locale) => {
  const mail = welcomeMail(input, locale);
  it('holds address and user name in both parts', () => {
    for (const part of [mail.text, mail.html]) {
      expect(part).toContain(input.tenantUrl);
      expect(part).toContain(input.userName);
    }
  });
  it('of a tenant without an address tells of no sign-in', () => {
    const { text, html } = welcomeMail({ ...input, tenantUrl: null }, locale);
    expect(text).toContain('Acme <Corp>');
    for (const part of [text, html]) expect(part).not.toContain(input.userName);
    expect(text.trim().split('\n')).toHaveLength(1);
  });
  it('escapes what tenants chose', () => {
    expect(mail.html).toContain('Acme &lt;Corp&gt;');
    expect(mail.html).not.toContain('<Corp>');
  });
});

it('keeps a display name from adding headers', () => {
  expect(welcomeMail({ ...input, displayName: 'a\r\nBcc: x@y.z' }, 'en').subject).not.toMatch(/[\r\n]/);
});
