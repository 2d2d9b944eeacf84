-- What a server built with ICU knows.
SET ROLE app;
-- kind: collation of ICU
CREATE COLLATION ty.german (provider = icu, locale = 'de-u-co-phonebk');
-- kind: collation that takes letters of two cases for equal
CREATE COLLATION ty.caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
-- kind: text under a collation that takes two for equal
CREATE TABLE val.caseless (a text COLLATE ty.caseless PRIMARY KEY, b text COLLATE ty.german); INSERT INTO val.caseless VALUES ('Ä', 'ß');
-- kind: index with a collation of ICU
CREATE INDEX caseless_b ON val.caseless (b COLLATE ty.german, a COLLATE "C");
-- kind: collation of ICU with rules, from 16 on
DO $$ BEGIN IF current_setting('server_version_num')::int >= 160000 THEN EXECUTE
    $s$CREATE COLLATION ty.ruled (provider = icu, locale = 'und', rules = '&b < a; ')$s$; END IF; END $$;
RESET ROLE;
