import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findTransactionStatement } from '../../../src/db/transaction-statements.ts';

const found = (sql: string) => findTransactionStatement(sql)?.word;

describe('a statement that begins or ends a transaction', () => {
  it.each([
    ['begin; create table t (); commit;', 'BEGIN'],
    ['create table t ();\ncommit', 'COMMIT'],
    ['select 1; End Work;', 'END'],
    ['start transaction isolation level serializable', 'START'],
    ['select 1; rollback', 'ROLLBACK'],
    ['rollback and chain', 'ROLLBACK'],
    ['rollback work', 'ROLLBACK'],
    ['abort', 'ABORT'],
    [`prepare transaction 'x'`, 'PREPARE'],
    ['-- first\n/* then /* nested */ */ commit;', 'COMMIT'],
    [`select 'a\\'; commit; --'`, 'COMMIT'],
    [`select e'a\\'' ; commit`, 'COMMIT'],
    [`select U&'a\\'; commit`, 'COMMIT'],
    ['select "a"";" ; commit', 'COMMIT'],
    ['do $$ begin null; end $$; commit', 'COMMIT'],
    ['do $a$ begin execute $b$ select 1 $b$; end $a$; commit', 'COMMIT'],
    ['create function f() returns int begin atomic select case when true then 1 end; select 2; end; commit', 'COMMIT'],
    ['create function f(x int default (1)) returns int return x; end', 'END'],
    ['create rule r as on insert to t do also (select 1; select 2); commit', 'COMMIT'],
    ['select 1 as begin; select 1 as atomic; end', 'END'],
    ['select (1; commit', undefined],
  ])('is found in: %s', (sql, word) => {
    expect(found(sql)).toBe(word);
  });

  it('is named with its line', () => {
    expect(findTransactionStatement(`select '\n';\n/*\n*/ /* x */ commit;`)).toEqual({ word: 'COMMIT', line: 4 });
  });

  it.each([
    '',
    '-- commit;',
    '/* begin; */',
    `select 'x; commit; y'`,
    `select 'it''s; commit; '`,
    `select e'it\\'s; commit; '`,
    `select E'one'\n  '\\'; commit; '`,
    'create table "x; commit; y" ()',
    'select $$; commit; $$, $tag$; $$ commit; $tag$',
    'select a$b$; select 1 as commit; select a$b$',
    'prepare commit_all as select 1; execute commit_all',
    'savepoint one; rollback to one; rollback work to savepoint one; rollback transaction to one; release one',
    'create procedure p() language plpgsql as $$ begin commit; end $$; call p()',
    'create or replace function f() returns int begin atomic select 1; select case when true then 2 end; end; select 1',
    'create procedure p() begin atomic; insert into t select 1 as end; end',
    'create rule r as on insert to t do also (select 1; select 2)',
    'do $$ begin commit; end $$',
    'create table beginning (commit int); comment on table beginning is null',
    `select 'never closed; commit`,
    'select $$ never closed; commit',
    '/* never closed; /* */ commit',
  ])('is not found in: %s', (sql) => {
    expect(found(sql)).toBeUndefined();
  });

  it('is in no migration of this repository', () => {
    const root = new URL('../../../', import.meta.url);
    const files = ['migrations/', 'src/products/moamalat/migrations/'].flatMap((folder) =>
      readdirSync(new URL(folder, root)).map((name) => new URL(`${folder}${name}`, root)),
    );
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) expect(found(readFileSync(file, 'utf8'))).toBeUndefined();
  });

  it('is looked for in linear time in a file that opens and never closes', () => {
    const hostile = ["e'", '/*', '"', '$$', '--', "e'a'\n"].map((piece) => piece.repeat(50_000));
    const began = performance.now();
    for (const sql of hostile) findTransactionStatement(sql);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
