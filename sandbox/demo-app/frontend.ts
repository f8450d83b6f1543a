import { sendHtml, sendJson, type Responder } from './responder.ts';

/** The tenant's frontend: one page that names the tenant and shows what its own backend answers. */
export function createFrontend(environment: Readonly<Record<string, string>>): Responder {
  const page = render({
    slug: environment['TENANT_SUBDOMAIN'] ?? 'template',
    apiBase: environment['API_BASE_URL'] ?? '',
  });
  return {
    respond: (request, response, path) => {
      if (path === '/' && (request.method === 'GET' || request.method === 'HEAD')) sendHtml(response, 200, page);
      else if (path === '/health') sendJson(response, 200, { status: 'ok' });
      else sendHtml(response, 404, '<!doctype html><title>Not found</title><h1>Not found</h1>');
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

function render(options: { readonly slug: string; readonly apiBase: string }): string {
  // The base may end in /api or not; the page asks the address it was served from when none is configured.
  const origin = options.apiBase.replace(/\/(api\/?)?$/, '');
  const script = JSON.stringify(`${origin}/api/tenant`).replaceAll('<', '\\u003c');
  const slug = escapeHtml(options.slug);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${slug}</title>
<style>body{font:16px/1.5 system-ui;max-width:42rem;margin:4rem auto;padding:0 1rem}pre{background:#f4f4f4;padding:1rem;overflow:auto}</style>
</head>
<body>
<h1>Tenant ${slug}</h1>
<p>Answered by this tenant's own backend, from its own schema:</p>
<pre id="tenant">loading</pre>
<script>
fetch(${script}).then((r) => r.json()).then(
  (tenant) => { document.getElementById('tenant').textContent = JSON.stringify(tenant, null, 2); },
  (error) => { document.getElementById('tenant').textContent = String(error); },
);
</script>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
