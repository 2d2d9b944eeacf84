-- Roles of the server. Each object or property of its own kind is announced by a line `-- kind: NAME`; a test counts them.
SET ROLE postgres;
-- kind: role with superuser rights
CREATE ROLE chief SUPERUSER NOLOGIN;
-- kind: role that logs in
CREATE ROLE app LOGIN;
-- kind: role with odd characters in its name
CREATE ROLE "Other ""Owner"" é";
-- kind: role with a line break in its name
CREATE ROLE "two
lines; DROP ROLE app";
-- kind: role named as a reserved word
CREATE ROLE "select" NOINHERIT;
CREATE ROLE reader;
CREATE ROLE writer NOINHERIT;
-- kind: role with a connection limit and an end
CREATE ROLE limited LOGIN CONNECTION LIMIT 3 VALID UNTIL '2031-02-03 04:05:06+00';
-- kind: role that never ends
CREATE ROLE forever LOGIN VALID UNTIL 'infinity';
-- kind: role that replicates
CREATE ROLE repl LOGIN REPLICATION;
-- kind: role that row-level security does not hold
CREATE ROLE passes BYPASSRLS;
-- kind: role that makes databases and roles
CREATE ROLE makes CREATEDB CREATEROLE;
-- kind: comment on a role
COMMENT ON ROLE app IS E'it''s\n\\ours';
-- kind: setting of a role
ALTER ROLE app SET work_mem = '7MB';
-- kind: setting of a role that is a list of names
ALTER ROLE app SET search_path = tab, "Odd, ""name""", public;
-- kind: setting of a role that no module knows
ALTER ROLE reader SET app.note = E'a\nb;''';
-- kind: membership
GRANT reader TO app;
-- kind: membership with the admin option
GRANT writer TO app WITH ADMIN OPTION;
-- kind: membership that a member gave
SET ROLE app; GRANT writer TO limited; SET ROLE postgres;
-- kind: membership in a role of the server
GRANT pg_monitor TO reader;
-- kind: membership of a member
GRANT app TO "Other ""Owner"" é";
RESET ROLE;
