-- What belongs to the database itself.
-- kind: database of an application role
ALTER DATABASE shop OWNER TO app;
-- kind: comment on the database
COMMENT ON DATABASE shop IS E'it''s\n\\ours';
-- kind: setting of the database
ALTER DATABASE shop SET work_mem = '9MB'; ALTER DATABASE shop SET timezone = 'Asia/Tokyo';
-- kind: setting of the database that is a list of names
ALTER DATABASE shop SET search_path = tab, "Odd, ""name""";
-- kind: setting of the database that changes how values are written
ALTER DATABASE shop SET datestyle = 'SQL, DMY'; ALTER DATABASE shop SET intervalstyle = 'iso_8601';
ALTER DATABASE shop SET bytea_output = 'escape'; ALTER DATABASE shop SET extra_float_digits = -3;
-- kind: setting of the database that no module knows
ALTER DATABASE shop SET app.note = E'a\n;b''';
-- kind: setting of a role in the database
ALTER ROLE app IN DATABASE shop SET statement_timeout = '9min';
-- kind: rights on the database
REVOKE TEMPORARY ON DATABASE shop FROM PUBLIC; GRANT CREATE ON DATABASE shop TO app; GRANT CONNECT ON DATABASE shop TO reader WITH
    GRANT OPTION;
-- kind: limit of connections to the database
ALTER DATABASE shop CONNECTION LIMIT 70;
