-- From version 3 of the schema to version 4; what counts.sqlite.sql makes comes first.

DROP INDEX runs_alive;
CREATE INDEX runs_alive ON runs (pool) WHERE ended IS NULL;
CREATE INDEX runs_of ON runs (campaign);
DROP INDEX leads_standing;
CREATE INDEX leads_called ON leads (campaign) WHERE later = 1;
CREATE INDEX leads_parked ON leads (campaign, place) WHERE standing = 'parked';
CREATE INDEX leads_settled ON leads (campaign, settled) WHERE settled IS NOT NULL;
CREATE INDEX attempts_of ON attempts (campaign, began);
CREATE INDEX batches_open ON batches (campaign, number) WHERE closed IS NULL;

INSERT INTO lead_counts SELECT campaign, listed, standing, coalesce(class, ''), count(*) FROM leads GROUP BY 1, 2, 3, 4;
INSERT INTO attempt_counts SELECT campaign, count(*), sum(over), sum(cost), sum(talk) FROM attempt_worth WHERE counts
    GROUP BY campaign;
