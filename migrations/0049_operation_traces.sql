-- The trace that an operation belongs to (W3C traceparent of the span that accepted it), so that whichever process starts its run goes on in it.
alter table operations add column traceparent text check (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');
