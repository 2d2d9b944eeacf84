-- Indexes and statistics.
SET ROLE app;
CREATE TABLE ix.t (id int PRIMARY KEY, a int, b text, c jsonb, d int4range, p point, w tsvector, e text NOT NULL, f int[]);
INSERT INTO ix.t SELECT g, g % 7, 'b' || g, jsonb_build_object('k', g), int4range(g, g + 3), point(g, g), to_tsvector('simple', 'w'
    || g), 'e' || g, ARRAY[g, g + 1] FROM generate_series(1, 300) g;
-- kind: unique index
CREATE UNIQUE INDEX "ix 1" ON ix.t (b, id DESC NULLS LAST);
-- kind: unique index in which NULL equals NULL
CREATE UNIQUE INDEX ix_nulls ON ix.t (id) NULLS NOT DISTINCT;
-- kind: index of some rows
CREATE INDEX ix_partial ON ix.t (a) WHERE b <> 'it''s;' AND a IS NOT NULL;
-- kind: index of an expression
CREATE INDEX ix_expression ON ix.t (lower(b), (a + 1), fn.doubled(a));
-- kind: index that includes a column
CREATE INDEX ix_including ON ix.t (a) INCLUDE (b, e);
-- kind: index with a collation and an operator class
CREATE INDEX ix_collated ON ix.t (b COLLATE "C" text_pattern_ops, e COLLATE ty.plain);
-- kind: index with an operator class of our own
CREATE INDEX ix_down ON ix.t (a base.down);
-- kind: index by gin
CREATE INDEX ix_gin ON ix.t USING gin (c jsonb_path_ops, f) WITH (fastupdate = off);
-- kind: index by gist with a parameter of an operator class
CREATE INDEX ix_gist ON ix.t USING gist (w tsvector_ops (siglen = 100), d);
-- kind: index by spgist
CREATE INDEX ix_spgist ON ix.t USING spgist (p);
-- kind: index by brin with a parameter
CREATE INDEX ix_brin ON ix.t USING brin (a int4_minmax_multi_ops (values_per_range = 16), id) WITH (pages_per_range = 4);
-- kind: index by hash
CREATE INDEX ix_hash ON ix.t USING hash (b);
-- kind: parameters of an index
CREATE INDEX ix_filled ON ix.t (e) WITH (fillfactor = 55, deduplicate_items = off);
-- kind: statistics of an index's expression
ALTER INDEX ix.ix_expression ALTER COLUMN 2 SET STATISTICS 77;
-- kind: table ordered by an index
CLUSTER ix.t USING t_pkey;
-- kind: replica identity by an index
CREATE UNIQUE INDEX ix_identity ON ix.t (e); ALTER TABLE ix.t REPLICA IDENTITY USING INDEX ix_identity;
-- kind: replica identity of all columns and of none
CREATE TABLE ix.full_identity (a int); ALTER TABLE ix.full_identity REPLICA IDENTITY FULL;
CREATE TABLE ix.no_identity (a int PRIMARY KEY); ALTER TABLE ix.no_identity REPLICA IDENTITY NOTHING;
-- kind: index of a divided table
CREATE INDEX ix_ranged ON tab.ranged (what);
-- kind: index of a divided table that no part has
CREATE INDEX ix_only ON ONLY tab.ranged (tenant);
-- kind: index of a part alone
CREATE INDEX ix_part ON tab.ranged_2 (tenant);
-- kind: index of a part attached by hand
CREATE INDEX "attached by hand" ON tab.listed_sad (n); CREATE INDEX ix_listed ON ONLY tab.listed (n);
ALTER INDEX tab.ix_listed ATTACH PARTITION tab."attached by hand";
-- kind: index that is not valid
CREATE INDEX ix_invalid ON ix.t (a, b); RESET ROLE;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix.ix_invalid'::regclass; SET ROLE app;
-- kind: comment on an index
COMMENT ON INDEX ix.ix_gin IS E'g\n;';
-- kind: statistics over several columns
CREATE STATISTICS ix.several (ndistinct, dependencies) ON a, b FROM ix.t;
-- kind: statistics of an expression, with a target
CREATE STATISTICS ix.expression ON (lower(b)), (a + 1) FROM ix.t; ALTER STATISTICS ix.expression SET STATISTICS 300;
COMMENT ON STATISTICS ix.several IS 'many';
RESET ROLE;
