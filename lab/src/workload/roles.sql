-- Made by the master user, who may therefore give them. The application's objects belong to the
-- application: the master user owns none of them.
CREATE ROLE app_rw NOLOGIN;
CREATE ROLE app_ro NOLOGIN;
CREATE ROLE shop_owner NOLOGIN;
CREATE ROLE billing_owner NOLOGIN;
CREATE ROLE shop_app LOGIN CONNECTION LIMIT 20 IN ROLE app_rw;
ALTER ROLE shop_app SET statement_timeout = '30s';
-- Reads the running cluster beside its work; the password is the practice cloud's.
CREATE ROLE dr_reader LOGIN PASSWORD 'reader-of-the-practice-cloud';
ALTER ROLE shop_app IN DATABASE shop SET search_path = app, pg_catalog;
ALTER DATABASE shop SET work_mem = '8MB';
