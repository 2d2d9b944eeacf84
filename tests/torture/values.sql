-- Rows of every type, with the values that are lost first.
SET ROLE app;
-- kind: numbers at their ends
CREATE TABLE val.numbers (id int PRIMARY KEY, a smallint, b int, c bigint, d numeric, e numeric(10, 3), f real, g float8, h money);
INSERT INTO val.numbers VALUES (1, -32768, -2147483648, -9223372036854775808, 'NaN', 1.5, '-0', '-0', '-92233720368547758.08'),
    (2, 32767, 2147483647, 9223372036854775807, 'Infinity', -1, 'Infinity', '-Infinity', '12.34'), (3, 0, 0, 0, 1.50000, 1.5, 'NaN',
    'NaN', NULL), (4, 1, 1, 1, 1e-100, 0, 1.1754944e-38, 0.1::float8 + 0.2, 0), (5, 1, 1, 1, 1e1000 + 0.1, 0, 3.4028235e38,
    5e-324, 0), (6, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- kind: numeric with a negative scale
DO $$ BEGIN EXECUTE 'CREATE TABLE val.scaled (id int PRIMARY KEY, a numeric(3, -2), b numeric(2, 5))'; END $$;
INSERT INTO val.scaled VALUES (1, 12345, 0.00012);
-- kind: text that a reader of lines trips over
CREATE TABLE val.texts (id int PRIMARY KEY, a text, b varchar(9), c char(6), d name, e "char");
INSERT INTO val.texts VALUES (1, E'\\.\n\t\r\n\\N', '', 'x', 'n', ''), (2, NULL, E'\\N', E'\\', '', '\'), (3, E'\u00e9e\u0301 名 \U0001F600',
    'é', NULL, 'é', 'a'), (4, repeat(E'long \\ ', 40000), NULL, NULL, NULL, NULL), (5, E'\x01\x7f\u0085\u2028\ufeff', ' ', ' ', ' ', ' ');
-- kind: bytes
CREATE TABLE val.bytes (id int PRIMARY KEY, a bytea); INSERT INTO val.bytes VALUES (1, '\x00ff5c0a0d2e'), (2, ''), (3, NULL),
    (4, decode(repeat('00ff', 60000), 'hex'));
-- kind: dates and times at their ends
CREATE TABLE val.times (id int PRIMARY KEY, a date, b timestamp, c timestamptz, d time, e timetz, f timestamp(0), g time(3));
INSERT INTO val.times VALUES (1, 'infinity', '-infinity', 'infinity', '24:00', '23:59:59.999999+15:59', '2001-01-01 00:00:00.6',
    '01:02:03.4567'), (2, '4714-11-24 BC', '0044-03-15 12:00 BC', '0001-01-01 00:00:00+00 BC', '00:00', '00:00-15:59', NULL, NULL), (3,
    '5874897-12-31', '294276-12-31 23:59:59.999999', '2026-03-29 02:30:00.000001+02', NULL, '12:00+05:45', NULL, NULL);
-- kind: intervals
CREATE TABLE val.intervals (id int PRIMARY KEY, a interval, b interval year to month, c interval second(2));
INSERT INTO val.intervals VALUES (1, '1 year -2 mons 3 days -04:05:06.789', '3 years 2 mons', '1.239'), (2, '-178000000 years', NULL,
    NULL), (3, '24:00', '1 mon', '0'), (4, '1 day', '-1 mon', '-0.01');
-- kind: documents as text and as values
CREATE TABLE val.documents (id int PRIMARY KEY, a json, b jsonb, d jsonpath);
INSERT INTO val.documents VALUES (1, E'{ "a" : 1,\n "a":2.0, "b": "\\u0041\\n" }', '{"a": 1, "a": 2.00, "z": "\n\\"}',
    '$.a[*] ? (@ > 1)'), (2, 'null', 'null', 'strict $'), (3, '1e5', '1e5',
    NULL);
-- kind: arrays with odd bounds and odd elements
CREATE TABLE val.arrays (id int PRIMARY KEY, a int[], b text[][], c ty.mood[], d ty.point3[], e timestamptz[]);
INSERT INTO val.arrays VALUES (1, '[-2:0]={1,NULL,3}', ARRAY[['a,"b', 'NULL'], [NULL, '']], '{"o''k",""}', ARRAY[ROW(1.5, 'sad',
    E'(")\n\\')::ty.point3], '{infinity}'), (2, '{}', '{}', '{}', '{}', NULL), (3, '[5:6][2:3]={{1,2},{3,4}}', '{{{a}}}', NULL, NULL, NULL);
-- kind: ranges and multiranges
CREATE TABLE val.ranges (id int PRIMARY KEY, a int4range, b numrange, c tstzrange, d ty.floats, e ty.many_floats, f int8multirange,
    g ty.texts); INSERT INTO val.ranges VALUES (1, 'empty', '(,)', '[2026-01-01 00:00+00,infinity]', '[-0,1.5)', '{[1,2),[3,4)}', '{}',
    '["a,b","c""d")'), (2, '[1,5)', '[1.50,1.500]', '(,infinity)', 'empty', '{}', '{[1,2],[4,)}', '[,"")');
-- kind: values of enumerations, domains and composite types
CREATE TABLE val.own (id int PRIMARY KEY, a ty.mood, b ty.small, c ty.late, d ty.pair, e ty.point3, f ty.real3, g ty.lost);
INSERT INTO val.own VALUES (1, E'two\nlines', 7, NULL, '{1,2}', ROW(1.5, 'sad', E'a"b\\,()'), ROW(NULL, NULL, NULL), ROW(1, 2)),
    (2, '', 8, 'y', NULL, NULL, ROW(1, '', ''), ROW(NULL, NULL));
-- kind: shapes
CREATE TABLE val.shapes (id int PRIMARY KEY, a point, b line, c lseg, d box, e path, f path, g polygon, h circle);
INSERT INTO val.shapes VALUES (1, '(-0,1e-300)', '{1,2,3}', '[(0,0),(1,1)]', '(1,1),(0,0)', '[(0,0),(1,1)]', '((0,0),(1,1))',
    '((0,0),(1,1),(1,0))', '<(0,0),1.5>'), (2, '(Infinity,NaN)', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- kind: addresses
CREATE TABLE val.addresses (id int PRIMARY KEY, a inet, b cidr, c macaddr, d macaddr8); INSERT INTO val.addresses VALUES (1,
    '10.1.2.3/8', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05'), (2, '::ffff:1.2.3.4', '::/0', NULL, NULL);
-- kind: strings of bits
CREATE TABLE val.bits (id int PRIMARY KEY, a bit(3), b varbit, c bit); INSERT INTO val.bits VALUES (1, B'101', B'', B'1'), (2, B'000',
    B'0001', NULL);
-- kind: words to search and what is sought
CREATE TABLE val.words (id int PRIMARY KEY, a tsvector, b tsquery); INSERT INTO val.words VALUES (1, $$'it''s':1A,3B '\\b' 'c d':5$$,
    $$'a':*A & !('b' <-> 'c d')$$), (2, '', '');
-- kind: numbers of the server itself
CREATE TABLE val.internals (id int PRIMARY KEY, a pg_lsn, b txid_snapshot, c pg_snapshot, d xid8, e xid, f cid, g tid, h oid, i uuid, j
    oidvector, k int2vector); INSERT INTO val.internals VALUES (1, 'FF/1A', '10:20:10,14', '10:20:12', '12345678901', '7', '9', '(1,2)',
    4294967295, '00000000-0000-0000-0000-00000000000A', '1 2', '3 4');
-- kind: values that name objects
CREATE TABLE val.names (id int PRIMARY KEY, a regclass, b regtype, c regrole, d regnamespace, e regproc, f regprocedure, g regoperator,
    h regcollation, i regconfig, j regdictionary, k aclitem);
INSERT INTO val.names VALUES (1, 'tab.keys', 'ty.point3[]', '"Other ""Owner"" é"', '"Odd.""näme"" 名 ''$x$"', 'fn.trusted', 'fn.same(text)',
    'fn.===(ty.mood,ty.mood)', 'ty.plain', 'fn.words', 'fn.plain', 'reader=r/app');
-- kind: values of extensions
RESET ROLE; SET ROLE app;
CREATE TABLE val.extensions (id int PRIMARY KEY, a ext.hstore, b ext.citext); INSERT INTO val.extensions VALUES (1,
    '"a"=>NULL, "b"=>"it\"s, \n"', 'MiXed');
-- kind: values of a base type
CREATE TABLE val.labels (id int PRIMARY KEY, a base.label); INSERT INTO val.labels VALUES (1, E'a\n\\b');
-- kind: value too large for a page
CREATE TABLE val.large (id int PRIMARY KEY, a text, b jsonb); INSERT INTO val.large SELECT g, (SELECT string_agg(md5((g * 9000 +
    i)::text), '') FROM generate_series(1, 9000) i), (SELECT jsonb_agg(i) FROM generate_series(1, 9000) i) FROM generate_series(1, 3) g;
-- kind: rows that were updated and deleted
CREATE TABLE val.moved (id int PRIMARY KEY, a text); INSERT INTO val.moved SELECT g, 'old' FROM generate_series(1, 2000) g;
UPDATE val.moved SET a = 'new' WHERE id % 2 = 0; DELETE FROM val.moved WHERE id % 3 = 0;
-- kind: rows that are equal
CREATE TABLE val.equal (a int, b text); INSERT INTO val.equal SELECT 1, NULL FROM generate_series(1, 5);
-- kind: row that is wide of types of rows
CREATE TABLE val.of_rows (id int PRIMARY KEY, a val.equal, b val.equal[]); INSERT INTO val.of_rows VALUES (1, ROW(1, E'"\n'),
    ARRAY[ROW(2, NULL)::val.equal]);
RESET ROLE;
