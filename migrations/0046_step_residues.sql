-- What AWS or an archive keeps for a while of a step that has no resource of its own in the ledger.
alter table steps add column residues jsonb;
