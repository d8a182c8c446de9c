-- How many leads stand how, and what a campaign's calls came to: kept by the database itself, so that nobody has to count
-- a table that grows. New leads are counted by the import that adds them.

CREATE TABLE lead_counts (
    campaign INTEGER NOT NULL,
    listed INTEGER NOT NULL,
    standing TEXT NOT NULL,
    class TEXT NOT NULL,            -- '': none
    leads INTEGER NOT NULL,
    PRIMARY KEY (campaign, listed, standing, class)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER lead_changed AFTER UPDATE OF listed, standing, class ON leads
WHEN (OLD.listed, OLD.standing, OLD.class) IS NOT (NEW.listed, NEW.standing, NEW.class)
BEGIN
    UPDATE lead_counts SET leads = leads - 1 WHERE campaign = OLD.campaign AND listed = OLD.listed
        AND standing = OLD.standing AND class = coalesce(OLD.class, '');
    INSERT INTO lead_counts VALUES (NEW.campaign, NEW.listed, NEW.standing, coalesce(NEW.class, ''), 1)
        ON CONFLICT DO UPDATE SET leads = leads + 1;
END;

CREATE TRIGGER lead_gone AFTER DELETE ON leads
BEGIN
    UPDATE lead_counts SET leads = leads - 1 WHERE campaign = OLD.campaign AND listed = OLD.listed
        AND standing = OLD.standing AND class = coalesce(OLD.class, '');
END;

CREATE TABLE attempt_counts (       -- those that were claimed here or taken in
    campaign INTEGER PRIMARY KEY,
    attempts INTEGER NOT NULL DEFAULT 0,
    ended INTEGER NOT NULL DEFAULT 0,
    cost INTEGER NOT NULL DEFAULT 0, -- millionths of a US dollar
    talk INTEGER NOT NULL DEFAULT 0  -- microseconds for which phones were answered
) STRICT;

CREATE VIEW attempt_worth AS SELECT id, campaign, origin <> 'found' AS counts, state = 'ended' AS over,
    CAST(round(coalesce(cost, 0) * 1e6) AS INTEGER) AS cost, coalesce(max(ended - started, 0), 0) AS talk FROM attempts;

CREATE TRIGGER attempt_added AFTER INSERT ON attempts WHEN NEW.origin <> 'found'
BEGIN
    INSERT INTO attempt_counts SELECT campaign, 1, over, cost, talk FROM attempt_worth WHERE id = NEW.id
        ON CONFLICT DO UPDATE SET attempts = attempts + 1, ended = attempt_counts.ended + excluded.ended,
        cost = attempt_counts.cost + excluded.cost, talk = attempt_counts.talk + excluded.talk;
END;

CREATE TRIGGER attempt_leaves BEFORE UPDATE OF origin, state, cost, ended, started ON attempts
WHEN OLD.origin <> 'found' AND (OLD.origin, OLD.state, OLD.cost, OLD.ended, OLD.started)
    IS NOT (NEW.origin, NEW.state, NEW.cost, NEW.ended, NEW.started)
BEGIN
    UPDATE attempt_counts SET attempts = attempts - 1, ended = attempt_counts.ended - was.over,
        cost = attempt_counts.cost - was.cost, talk = attempt_counts.talk - was.talk
        FROM attempt_worth AS was WHERE was.id = OLD.id AND attempt_counts.campaign = OLD.campaign;
END;

CREATE TRIGGER attempt_comes AFTER UPDATE OF origin, state, cost, ended, started ON attempts
WHEN NEW.origin <> 'found' AND (OLD.origin, OLD.state, OLD.cost, OLD.ended, OLD.started)
    IS NOT (NEW.origin, NEW.state, NEW.cost, NEW.ended, NEW.started)
BEGIN
    INSERT INTO attempt_counts SELECT campaign, 1, over, cost, talk FROM attempt_worth WHERE id = NEW.id
        ON CONFLICT DO UPDATE SET attempts = attempts + 1, ended = attempt_counts.ended + excluded.ended,
        cost = attempt_counts.cost + excluded.cost, talk = attempt_counts.talk + excluded.talk;
END;
