-- From version 7 of the schema to version 8.

ALTER TABLE runs ADD COLUMN host TEXT;
ALTER TABLE pool_histories ADD COLUMN forecast TEXT;
ALTER TABLE campaigns ADD COLUMN terms TEXT; -- JSON: the hours and the reserve of its newest run
DROP INDEX attempts_live;
CREATE INDEX attempts_live ON attempts (campaign, run) WHERE state IN ('claimed', 'in-doubt', 'placed');
