-- What a partner paid in advance, and from when on (microseconds since 1970); NULL: it pays invoices.
ALTER TABLE partner ADD COLUMN prepaid_from INTEGER;
ALTER TABLE partner ADD COLUMN prepaid_minor INTEGER;
