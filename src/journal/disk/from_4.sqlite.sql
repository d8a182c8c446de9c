-- From version 4 of the schema to version 5; what results.sql makes comes first.

INSERT INTO settlements (lead, campaign, number) SELECT id, campaign, 1 FROM leads WHERE settled IS NOT NULL AND phone > 0;
