-- A second database of the same cluster, which never changes: with an owner of its own, a setting of
-- its own, and a table that a backup of the first database alone would lose.
CREATE SCHEMA books AUTHORIZATION billing_owner;
SET LOCAL ROLE billing_owner;
CREATE TYPE books.side AS ENUM ('debit', 'credit');
CREATE TABLE books.entries (
    id int PRIMARY KEY,
    side books.side NOT NULL,
    cents bigint NOT NULL CHECK (cents > 0)
);
INSERT INTO books.entries
SELECT n, (ARRAY['debit', 'credit'])[1 + n % 2]::books.side, n * 100 FROM generate_series(1, 1000) n;
GRANT USAGE ON SCHEMA books TO app_ro, dr_reader;
GRANT SELECT ON books.entries TO app_ro, dr_reader;
RESET ROLE;
