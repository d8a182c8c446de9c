-- From version 7 of the schema to version 8.

ALTER TABLE runs ADD COLUMN host TEXT;
