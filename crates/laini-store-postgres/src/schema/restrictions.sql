-- Which numbers are restricted. A lifted restriction stays, so that nodes learn of it.
CREATE TABLE restriction (
    number_hash bytea PRIMARY KEY,
    until bigint, -- holdings that began by then, the largest number: any, NULL: lifted
    change bigint NOT NULL -- the version of the accounts that it came with
);
CREATE INDEX restriction_changed ON restriction (change, number_hash);
