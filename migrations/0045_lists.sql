-- What lists of tenants are searched by: one text a tenant, of its slug, display name and e-mail address. A table of its own, so that
-- changes of a tenant's status do not write the index of it.
create table tenant_texts (
  tenant_id uuid primary key references tenants (id) on delete cascade,
  text text not null
);

-- As texts are compared: in lower case, composed. (`normalize` is for UTF-8 only.)
create function searched_text(given text) returns text language sql stable parallel safe as $$
  select lower(case when getdatabaseencoding() = 'UTF8' then normalize(given, nfc) else given end)
$$;

-- Every three characters in a row. The extension pg_trgm has such an index, but needs a right to create extensions, which not every
-- managed PostgreSQL gives; an index of arrays is built in.
create function text_grams(searched text) returns text[] language sql immutable parallel safe as $$
  select coalesce(array_agg(distinct substr(searched, i, 3)), '{}') from generate_series(1, length(searched) - 2) as i
$$;
create index tenant_texts_grams on tenant_texts using gin (text_grams(text));

-- No text that is searched for holds a line break, so none is found across two of them.
create function note_tenant_text() returns trigger language plpgsql as $$
begin
  insert into tenant_texts as t (tenant_id, text)
  values (new.id, searched_text(new.slug || E'\n' || new.display_name || E'\n' || new.contact_email))
  on conflict (tenant_id) do update set text = excluded.text where t.text <> excluded.text;
  return null;
end $$;
create trigger tenants_searched after insert or update of slug, display_name, contact_email on tenants
  for each row execute function note_tenant_text();
insert into tenant_texts (tenant_id, text)
  select id, searched_text(slug || E'\n' || display_name || E'\n' || contact_email) from tenants;

-- What they are sorted by, besides the time of creation.
create index tenants_by_slug_and_id on tenants (slug, id);
create index tenants_by_update on tenants (updated_at, id);

-- Few are not healthy.
create index tenant_health_not_healthy on tenant_health (status) where status <> 'healthy';
