-- What a partner paid in advance, and from when on (microseconds since 1970), NULL: it pays invoices.
ALTER TABLE partner ADD COLUMN IF NOT EXISTS prepaid_from bigint;
ALTER TABLE partner ADD COLUMN IF NOT EXISTS prepaid_minor bigint;
