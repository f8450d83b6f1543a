import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';
import { sendJson, type Responder } from './responder.ts';

const closeWithinMs = 2000;
const maxBodyBytes = 16 * 1024;
const healthPaths = new Set(['/health', '/api/health']);
const newNote = z.object({ body: z.string().min(1).max(4000) });

/**
 * The tenant's backend. With `DB_HOST` and its kin it works in its own schema (`/api/notes` in its table `notes`, where the tenant
 * migrations make one); without them it says only whose it is, and nothing when it is the template.
 */
export function createBackend(environment: Readonly<Record<string, string>>): Responder {
  const pool = openPool(environment);
  return {
    respond: (request, response, path) => respond({ environment, pool, request, response, path }),
    close: async () => {
      // A server that hangs must not keep a stopped task from ending.
      await Promise.race([pool?.end(), sleep(closeWithinMs, undefined, { ref: false })]);
    },
  };
}

interface Exchange {
  readonly environment: Readonly<Record<string, string>>;
  readonly pool: pg.Pool | undefined;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
}

function openPool(environment: Readonly<Record<string, string>>): pg.Pool | undefined {
  const { DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD } = environment;
  if (!DB_HOST) return undefined;
  const pool = new pg.Pool({
    host: DB_HOST,
    port: Number(DB_PORT ?? 5432),
    database: DB_NAME,
    user: DB_USER,
    password: DB_PASSWORD,
    max: 2,
    connectionTimeoutMillis: 2000,
    query_timeout: 5000,
    idleTimeoutMillis: 10_000,
    application_name: 'demo-backend',
  });
  // A session that the server ends (a tenant being removed) must not end the process that hosts other tenants.
  pool.on('error', () => undefined);
  return pool;
}

async function respond(exchange: Exchange): Promise<void> {
  const { environment, path, request, response, pool } = exchange;
  if (healthPaths.has(path)) return health(exchange);
  if (!pool && environment['TENANT_ID'] !== undefined && path === '/api/tenant') {
    sendJson(response, 200, identity(environment));
    return;
  }
  if (!pool) {
    sendJson(response, 404, { error: 'it has no database' });
    return;
  }
  if (path === '/api/tenant' && request.method === 'GET') return tenant(exchange, pool);
  if (path === '/api/notes' && request.method === 'GET') return listNotes(response, pool);
  if (path === '/api/notes' && request.method === 'POST') return addNote(request, response, pool);
  sendJson(response, 404, { error: `nothing at ${path}` });
}

async function health({ pool, response }: Exchange): Promise<void> {
  if (!pool) {
    sendJson(response, 200, { status: 'ok', template: true });
    return;
  }
  try {
    await pool.query('select 1');
    sendJson(response, 200, { status: 'ok' });
  } catch (error) {
    sendJson(response, 503, {
      status: 'database unavailable',
      error: error instanceof Error ? error.message : String(error),
    });
  }
}

async function tenant({ environment, response }: Exchange, pool: pg.Pool): Promise<void> {
  const tables = await pool.query<{ name: string }>(
    `select table_name::text as name from information_schema.tables where table_schema = current_schema() order by 1`,
  );
  const names = tables.rows.map((t) => t.name);
  // A product's migrations make whatever tables they like.
  const notes = names.includes('notes') ? '(select count(*)::int from notes)' : 'null';
  const { rows } = await pool.query<Record<string, unknown>>(
    `select current_user::text as user, current_schema()::text as schema, current_database()::text as database,
            ${notes} as notes`,
  );
  sendJson(response, 200, {
    ...identity(environment),
    configuredSchema: environment['DB_SCHEMA'],
    ...rows[0],
    tables: names,
  });
}

function identity(environment: Exchange['environment']) {
  return {
    tenantId: environment['TENANT_ID'],
    slug: environment['TENANT_SUBDOMAIN'],
    url: environment['TENANT_URL'],
    environment: environment['ENVIRONMENT'],
  };
}

async function listNotes(response: ServerResponse, pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query(
    'select id::text, body, created_at as "createdAt" from notes order by id desc limit 100',
  );
  sendJson(response, 200, { notes: rows });
}

async function addNote(request: IncomingMessage, response: ServerResponse, pool: pg.Pool): Promise<void> {
  const parsed = newNote.safeParse(await readJson(request));
  if (!parsed.success) {
    sendJson(response, 400, { error: 'a note is { "body": "text" } of at most 4000 characters' });
    return;
  }
  const { rows } = await pool.query(
    'insert into notes (body) values ($1) returning id::text, body, created_at as "createdAt"',
    [parsed.data.body],
  );
  sendJson(response, 201, rows[0]);
}

/** The JSON body, or undefined when it is none or too large. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const piece = Buffer.from(chunk as Uint8Array);
    size += piece.length;
    if (size > maxBodyBytes) return undefined;
    chunks.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}
