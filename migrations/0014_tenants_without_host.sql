-- A product whose tenants have no host: nothing of that sort is reserved for them, and they have no address.
alter table tenants alter column host_name drop not null, alter column tenant_url drop not null;
alter table tenants add constraint tenants_address check ((host_name is null) = (tenant_url is null));
