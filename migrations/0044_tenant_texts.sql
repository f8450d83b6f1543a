-- What lists of tenants are searched by: one text a tenant, of its slug, display name and e-mail address. A table of its own, so that
-- changes of a tenant's status do not write the index of it. Filled in a file of its own, which keeps nobody waiting: what locks
-- `tenants` is in the next one. Compared byte by byte: as fast in every locale.
create table tenant_texts (
  tenant_id uuid primary key,
  text text collate "C" not null
);

-- As texts are compared: in lower case, composed. (`normalize` is for UTF-8 only.)
create function searched_text(given text) returns text language sql stable parallel safe as $$
  select lower(case when getdatabaseencoding() = 'UTF8' then normalize(given, nfc) else given end)
$$;

-- Every three characters in a row. The extension pg_trgm has such an index, but needs a right to create extensions, which not every
-- managed PostgreSQL gives; an index of arrays is built in.
create function text_grams(searched text) returns text[] language plpgsql immutable parallel safe as $$
declare
  -- Split once: finding a character in UTF-8 by its number reads all that is before it.
  letters text[] := string_to_array(searched, null);
  grams text[] := '{}';
begin
  for i in 1 .. cardinality(letters) - 2 loop
    grams[i] := letters[i] || letters[i + 1] || letters[i + 2];
  end loop;
  return grams;
end $$;

-- No text that is searched for holds a line break, so none is found across two of them.
insert into tenant_texts (tenant_id, text)
  select id, searched_text(slug || E'\n' || display_name || E'\n' || contact_email) from tenants;
create index tenant_texts_grams on tenant_texts using gin (text_grams(text));
