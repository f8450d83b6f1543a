import type { MailLocale } from '../contracts/platform.ts';

export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface WelcomeInput {
  readonly displayName: string;
  /** Null: the tenant has no address, so there is nowhere to sign in. */
  readonly tenantUrl: string | null;
  /** The name that the first administrator signs in with. */
  readonly userName: string;
}

interface Words {
  readonly direction: 'ltr' | 'rtl';
  readonly subject: (name: string) => string;
  readonly ready: (name: string) => string;
  readonly address: string;
  readonly userName: string;
  readonly password: string;
}

const words: Readonly<Record<MailLocale, Words>> = {
  en: {
    direction: 'ltr',
    subject: (name) => `${name} is ready`,
    ready: (name) => `The environment of ${name} is ready.`,
    address: 'Address',
    userName: 'User name',
    password: 'Set your password at the first sign-in with "Forgot password"; we never send one by mail.',
  },
  ar: {
    direction: 'rtl',
    subject: (name) => `${name} جاهزة للاستخدام`,
    ready: (name) => `بيئة ${name} جاهزة الآن.`,
    address: 'العنوان',
    userName: 'اسم المستخدم',
    password: 'عيّن كلمة المرور عند أول تسجيل دخول عبر «نسيت كلمة المرور»؛ نحن لا نرسل كلمات المرور بالبريد.',
  },
};

/** The mail of a tenant that became active: address and user name, never a password (requirement C-20). */
export function welcomeMail(input: WelcomeInput, locale: MailLocale): Mail {
  const w = words[locale];
  const signIn = [`${w.address}: ${input.tenantUrl ?? ''}`, `${w.userName}: ${input.userName}`, w.password];
  const lines = [w.ready(input.displayName), ...(input.tenantUrl === null ? [] : signIn)];
  const rows = lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('\n');
  return {
    subject: w.subject(input.displayName).replace(/[\r\n]+/g, ' '),
    text: `${lines.join('\n\n')}\n`,
    html: `<!doctype html>\n<html lang="${locale}" dir="${w.direction}"><body>\n${rows}\n</body></html>\n`,
  };
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (c) => entities[c] ?? c);
}
