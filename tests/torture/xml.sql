-- What a server built with libxml knows.
SET ROLE app;
-- kind: documents and parts of documents in xml
CREATE TABLE val.xml (id int PRIMARY KEY, a xml); INSERT INTO val.xml VALUES (1, E'<a b="&amp;">\n<!-- c --><![CDATA[;]]></a>'), (2, ''),
    (3, 'text &lt; and <b/> more');
-- kind: view that makes xml
CREATE VIEW vw.xml AS SELECT xmlelement(name "a b", xmlattributes(id AS "x;"), b) AS x FROM ix.t;
RESET ROLE;
