-- The trace that an operation belongs to (W3C traceparent of the span that accepted it), so that whichever process starts its run goes on in it.
alter table operations add column traceparent text;
