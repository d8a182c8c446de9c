-- From version 7 of the schema to version 8.

ALTER TABLE runs ADD COLUMN host TEXT;
ALTER TABLE pool_histories ADD COLUMN forecast TEXT;
