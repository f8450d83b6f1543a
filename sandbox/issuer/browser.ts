import type { User } from './users.ts';

/** Confirms a device's code as a user would in a browser: opens the page, says that the code is right, chooses who signs in. */
export async function confirmAs(user: User, verificationUrl: string): Promise<void> {
  const visit = visitor();
  let page = await visit(verificationUrl);
  // The code, whether it is right, who signs in: a form each.
  for (let n = 0; n < 3 && page.text.includes('<form'); n += 1) {
    const isLogin = page.url.includes('/interaction/');
    page = await visit(new URL(actionOf(page.text), page.url).href, isLogin ? { user } : fieldsOf(page.text));
  }
  if (!page.text.includes('You are signed in')) throw new Error(`the issuer answers: ${textIn(page.text)}`);
}

interface Page {
  readonly url: string;
  readonly text: string;
}

/** Keeps cookies and follows redirects, as browsers do. */
function visitor(): (url: string, fields?: Readonly<Record<string, string>>) => Promise<Page> {
  const cookies = new Map<string, string>();
  return async (first, fields) => {
    let [url, body] = [first, fields && new URLSearchParams(fields)];
    for (let n = 0; n < 10; n += 1) {
      const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') };
      const response = await fetch(url, { headers, redirect: 'manual', ...(body && { method: 'POST', body }) });
      for (const cookie of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
        cookies.set(name, value);
      }
      const next = response.headers.get('location');
      if (next === null) return { url, text: await response.text() };
      [url, body] = [new URL(next, url).href, undefined];
    }
    throw new Error(`${first} redirects without end`);
  };
}

function actionOf(html: string): string {
  return /<form[^>]* action="([^"]+)"/.exec(html)?.[1] ?? '';
}

function fieldsOf(html: string): Record<string, string> {
  const hidden = html.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g);
  return Object.fromEntries([...hidden].map(([, name = '', value = '']) => [name, value]));
}

function textIn(html: string): string {
  return html
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
