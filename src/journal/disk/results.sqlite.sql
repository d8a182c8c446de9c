-- What became of calls and of leads, for reports and for results files: filled by the database itself where a lead is
-- settled, or goes.

CREATE TABLE analyses (             -- what the provider made of a call that somebody answered
    attempt TEXT PRIMARY KEY,
    success TEXT,
    summary TEXT,
    structured TEXT,                -- JSON: an object
    recording TEXT,                 -- where it can be heard
    transcript_chars INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE settlements (
    lead INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL,
    number INTEGER NOT NULL,        -- how many times it was settled
    written INTEGER NOT NULL DEFAULT 0 -- up to which of those a results file has it
) STRICT;
CREATE INDEX settlements_unwritten ON settlements (campaign, lead) WHERE written < number;

CREATE TABLE results_files (
    campaign INTEGER NOT NULL,
    path TEXT NOT NULL,
    device INTEGER NOT NULL, inode INTEGER NOT NULL, -- which file it was, whatever its name leads to later
    length INTEGER NOT NULL,        -- so much of it is known to hold whole rows
    PRIMARY KEY (campaign, path)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER lead_settled AFTER UPDATE OF settled ON leads
WHEN OLD.settled IS NULL AND NEW.settled IS NOT NULL AND NEW.phone > 0
BEGIN
    INSERT INTO settlements (lead, campaign, number) VALUES (NEW.id, NEW.campaign, 1)
        ON CONFLICT DO UPDATE SET number = number + 1;
END;

CREATE TRIGGER settled_lead_gone AFTER DELETE ON leads
BEGIN
    DELETE FROM settlements WHERE lead = OLD.id;
END;

CREATE TRIGGER attempt_gone AFTER DELETE ON attempts
BEGIN
    DELETE FROM analyses WHERE attempt = OLD.attempt;
END;

-- Of a journal that had none of this.
INSERT INTO settlements (lead, campaign, number) SELECT id, campaign, 1 FROM leads WHERE settled IS NOT NULL AND phone > 0;
