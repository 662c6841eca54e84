-- What nodes reserved of the amounts that they use up together. What is used of it the ledger counts.
CREATE TABLE allowance (
    kind smallint NOT NULL, -- whose: a code, as in pace
    id bigint NOT NULL,
    product smallint NOT NULL, -- 0 where it is of no single product
    quota smallint NOT NULL, -- numbers of a day or of a month, minor units of a month: a code
    from_us bigint NOT NULL, -- the first instant of the day or month
    reserved bigint NOT NULL,
    peak bigint NOT NULL, -- the most that was ever reserved
    PRIMARY KEY (id, kind, product, quota, from_us)
);

-- What each node is asked for at a rate, by the database's clock. Kind 0: that the node is there.
CREATE TABLE pace (
    kind smallint NOT NULL,
    id bigint NOT NULL,
    product smallint NOT NULL,
    node text NOT NULL,
    per_second bigint NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (id, kind, product, node)
);
