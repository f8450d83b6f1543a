-- Texts of tenants follow them from here on; `tenants` is locked until the end of this file.
create function note_tenant_text() returns trigger language plpgsql as $$
begin
  insert into tenant_texts as t (tenant_id, text)
  values (new.id, searched_text(new.slug || E'\n' || new.display_name || E'\n' || new.contact_email))
  on conflict (tenant_id) do update set text = excluded.text where t.text <> excluded.text;
  return null;
end $$;
create trigger tenants_searched after insert or update of slug, display_name, contact_email on tenants
  for each row execute function note_tenant_text();
-- What came or changed since they were filled.
insert into tenant_texts as t (tenant_id, text)
  select id, now.text from tenants
  cross join lateral (select searched_text(slug || E'\n' || display_name || E'\n' || contact_email) as text) now
  left join tenant_texts before on before.tenant_id = id
  where before.text is distinct from now.text
  on conflict (tenant_id) do update set text = excluded.text;
alter table tenant_texts add foreign key (tenant_id) references tenants (id) on delete cascade;

-- What they are sorted by, besides the time of creation.
create index tenants_by_slug_and_id on tenants (slug, id);
create index tenants_by_update on tenants (updated_at, id);

-- Few are not healthy.
create index tenant_health_not_healthy on tenant_health (status) where status <> 'healthy';
