-- Schemas and types.
SET ROLE app;
-- kind: schema of an application role
RESET ROLE; CREATE SCHEMA ty AUTHORIZATION app; CREATE SCHEMA fn AUTHORIZATION app; CREATE SCHEMA tab AUTHORIZATION app;
CREATE SCHEMA ix AUTHORIZATION app; CREATE SCHEMA vw AUTHORIZATION app; CREATE SCHEMA val AUTHORIZATION app;
CREATE SCHEMA sec AUTHORIZATION app; CREATE SCHEMA ext AUTHORIZATION app;
-- kind: schema with a dot, quotes and letters of elsewhere in its name
CREATE SCHEMA "Odd.""näme"" 名 '$x$" AUTHORIZATION "Other ""Owner"" é";
-- kind: schema with a line break in its name
CREATE SCHEMA "line
break; SELECT 1" AUTHORIZATION app;
-- kind: schema that is empty
CREATE SCHEMA "empty" AUTHORIZATION writer;
-- kind: schema public with a comment of its own
COMMENT ON SCHEMA public IS 'ours now';
SET ROLE app;
-- kind: enumeration
CREATE TYPE ty.mood AS ENUM ('sad', 'o''k', E'two\nlines', '');
-- kind: enumeration of many labels
CREATE TYPE ty.letter AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't');
-- kind: enumeration with labels put in between
CREATE TYPE ty.grade AS ENUM ('a', 'c'); ALTER TYPE ty.grade ADD VALUE 'b' BEFORE 'c';
-- kind: enumeration without labels
CREATE TYPE ty.nothing AS ENUM ();
-- kind: domain
CREATE DOMAIN ty.positive AS int DEFAULT 1 NOT NULL CONSTRAINT above CHECK (VALUE > 0);
-- kind: domain with a constraint that is not valid
CREATE DOMAIN ty.late AS text; ALTER DOMAIN ty.late ADD CONSTRAINT unchecked CHECK (VALUE <> 'x') NOT VALID;
-- kind: domain over a domain
CREATE DOMAIN ty.small AS ty.positive CHECK (VALUE < 100);
-- kind: domain over an array
CREATE DOMAIN ty.pair AS int[] CHECK (array_length(VALUE, 1) = 2);
-- kind: composite type
CREATE TYPE ty.point3 AS (x numeric(10,2), y ty.mood, "Z z" text COLLATE "C");
-- kind: composite type with a dropped attribute
CREATE TYPE ty.lost AS (a int, b int, c int); ALTER TYPE ty.lost DROP ATTRIBUTE b;
-- kind: domain over a composite type
CREATE DOMAIN ty.real3 AS ty.point3 CHECK ((VALUE).x IS NULL OR (VALUE).x >= 0);
-- kind: range type with a difference and its multirange
CREATE FUNCTION ty.apart(float8, float8) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1 - $2';
CREATE TYPE ty.floats AS RANGE (subtype = float8, subtype_diff = ty.apart, multirange_type_name = ty.many_floats);
-- kind: range type over text with a collation
CREATE TYPE ty.texts AS RANGE (subtype = text, collation = "C");
-- kind: collation of the C library
CREATE COLLATION ty.plain FROM "C";
-- kind: type that is a shell
RESET ROLE; SET ROLE chief; CREATE SCHEMA base AUTHORIZATION chief;
CREATE TYPE base.shell;
-- kind: base type
CREATE TYPE base.label;
CREATE FUNCTION base.label_in(cstring) RETURNS base.label LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION base.label_out(base.label) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE base.label (INPUT = base.label_in, OUTPUT = base.label_out, LIKE = text, CATEGORY = 'S', PREFERRED = false);
-- kind: cast without a function
CREATE CAST (base.label AS text) WITHOUT FUNCTION AS IMPLICIT;
RESET ROLE; SET ROLE app;
-- kind: cast by a function
CREATE FUNCTION ty.mood_of(int) RETURNS ty.mood LANGUAGE sql IMMUTABLE AS
    $$SELECT CASE WHEN $1 > 0 THEN 'o''k'::ty.mood ELSE 'sad'::ty.mood END$$;
CREATE CAST (int AS ty.mood) WITH FUNCTION ty.mood_of(int) AS ASSIGNMENT;
-- kind: cast by the texts of values
CREATE CAST (ty.point3 AS text) WITH INOUT AS ASSIGNMENT;
-- kind: comment on a type and on a domain's constraint
COMMENT ON TYPE ty.mood IS 'how it is'; COMMENT ON CONSTRAINT above ON DOMAIN ty.positive IS 'why';
-- kind: rights on a type
REVOKE USAGE ON TYPE ty.point3 FROM PUBLIC; GRANT USAGE ON TYPE ty.point3 TO reader WITH GRANT OPTION;
-- kind: conversion of encodings
RESET ROLE; SET ROLE chief;
CREATE CONVERSION base.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
-- kind: transform of a language's values
CREATE SCHEMA tr AUTHORIZATION chief;
CREATE FUNCTION tr.from_sql(internal) RETURNS internal LANGUAGE internal IMMUTABLE STRICT AS 'varchar_support';
CREATE TRANSFORM FOR int4 LANGUAGE sql (FROM SQL WITH FUNCTION tr.from_sql(internal));
RESET ROLE;
