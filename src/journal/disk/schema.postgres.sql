-- The tables of schema.sqlite.sql and counts.sqlite.sql for PostgreSQL, in the schema "dialer". Instants are microseconds on
-- the database's line of time; all else is as it is there.

CREATE TABLE schema_version (version BIGINT NOT NULL);

CREATE TABLE settings (name TEXT COLLATE "C" PRIMARY KEY, value BYTEA NOT NULL);

CREATE TABLE accounts (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,      -- the organisation's id; on loopback the base URL with it
    watermark BIGINT,              -- stamp: the listing is known up to here
    known_from BIGINT              -- stamp: and from there on, without a gap
);

CREATE TABLE keys (
    hash BYTEA PRIMARY KEY,          -- keyed hash of the base URL and the API key
    account BIGINT NOT NULL
);

CREATE TABLE campaigns (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account BIGINT NOT NULL,
    mark TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",                      -- null: nothing is known of it but calls with its mark
    lists TEXT COLLATE "C",                     -- JSON: canonical paths
    target TEXT COLLATE "C",                    -- the assistant, squad or workflow
    generation BIGINT NOT NULL DEFAULT 0,
    list_hash BYTEA,                 -- of the rows of the newest list
    imported TEXT COLLATE "C",                  -- JSON: what its import counted
    plan_hash BYTEA,                 -- of what the leads' standing was worked out with
    created BIGINT,                -- wall clock
    adopted BIGINT,                -- instant: the second search after an adoption is still to come
    paused BIGINT NOT NULL DEFAULT 0,
    stop BIGINT NOT NULL DEFAULT 0,
    in_doubt BIGINT,               -- how long its newest run lets absence hold, in microseconds; -1: for ever
    UNIQUE (account, mark)
);

CREATE TABLE pools (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,      -- the account's, unless it was named
    last_limit BIGINT, last_limit_at BIGINT,
    observer BIGINT,               -- the run whose observation this is
    at BIGINT, heard BIGINT, named_limit BIGINT, remaining BIGINT, call TEXT COLLATE "C", sent BIGINT, received BIGINT,
    rate_until BIGINT              -- instant: no POST before then
);

CREATE TABLE runs (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign BIGINT NOT NULL,
    pool BIGINT NOT NULL,
    pid BIGINT NOT NULL,
    started BIGINT NOT NULL,       -- wall clock
    ended BIGINT,                  -- wall clock: it said so, or its death was noticed
    reserve BIGINT NOT NULL,
    seen_limit BIGINT, seen_limit_at BIGINT,
    keeps_since BIGINT,            -- instant: it leaves a free slot to another run that waits
    passed BIGINT NOT NULL DEFAULT 0 -- a slot was left to it and not taken
);
CREATE INDEX runs_alive ON runs (pool) WHERE ended IS NULL;
CREATE INDEX runs_of ON runs (campaign);

CREATE TABLE zone_sets (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, zones TEXT COLLATE "C" NOT NULL UNIQUE);

CREATE TABLE leads (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign BIGINT NOT NULL,
    place BIGINT NOT NULL,         -- list and line, as one number that sorts
    phone BIGINT NOT NULL,
    extension TEXT COLLATE "C" NOT NULL,
    lead TEXT COLLATE "C" NOT NULL,             -- JSON, but for the zones
    zone_set BIGINT NOT NULL,
    generation BIGINT NOT NULL,    -- of the list that brought it in
    added BIGINT NOT NULL,         -- instant
    listed BIGINT NOT NULL DEFAULT 1,
    suppressed BIGINT NOT NULL DEFAULT 0,
    -- Worked out from the facts of its attempts and the plan of the day, and kept for the sake of speed:
    standing TEXT COLLATE "C" NOT NULL DEFAULT 'open',
    class TEXT COLLATE "C",
    due BIGINT NOT NULL DEFAULT 0, -- wall clock; 0: now
    later BIGINT NOT NULL DEFAULT 0,
    doubts BIGINT NOT NULL DEFAULT 0,
    settled BIGINT,                -- wall clock
    stale BIGINT NOT NULL DEFAULT 0 -- to be worked out again when its campaign starts
);
CREATE UNIQUE INDEX leads_once ON leads (campaign, phone, extension);
CREATE INDEX leads_first ON leads (campaign, zone_set, place) WHERE standing = 'open' AND listed = 1 AND later = 0;
CREATE INDEX leads_later ON leads (campaign, zone_set, due, place) WHERE standing = 'open' AND listed = 1 AND later = 1;
CREATE INDEX leads_stale ON leads (campaign) WHERE stale = 1;
CREATE INDEX leads_called ON leads (campaign) WHERE later = 1;
CREATE INDEX leads_parked ON leads (campaign, place) WHERE standing = 'parked';
CREATE INDEX leads_settled ON leads (campaign, settled) WHERE settled IS NOT NULL;

CREATE TABLE attempts (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    attempt TEXT COLLATE "C" NOT NULL UNIQUE,
    origin TEXT COLLATE "C" NOT NULL,           -- claimed, found, adopted
    campaign BIGINT NOT NULL,
    lead BIGINT,
    phone BIGINT,
    run BIGINT,
    line TEXT COLLATE "C",
    claimed BIGINT NOT NULL,       -- instant
    began BIGINT NOT NULL,         -- wall clock
    provider_time BIGINT NOT NULL, -- stamp
    sent BIGINT, received BIGINT, taken BIGINT,
    refused TEXT COLLATE "C",
    blocked BIGINT NOT NULL,
    failed BIGINT,                 -- instant
    rung BIGINT NOT NULL,
    started BIGINT,                -- stamp
    spoke BIGINT NOT NULL,
    ended BIGINT, reason TEXT COLLATE "C",     -- stamp
    given_up BIGINT NOT NULL,
    absent BIGINT,                 -- instant
    parked BIGINT,                 -- instant
    released BIGINT NOT NULL,
    call TEXT COLLATE "C",
    created BIGINT,                -- stamp; not null: the call exists
    shown BIGINT,                  -- instant: since then we know
    updated BIGINT,                -- stamp
    cost DOUBLE PRECISION,
    opt_out BIGINT NOT NULL,
    reopened BIGINT NOT NULL,
    twin TEXT COLLATE "C",
    message TEXT COLLATE "C",
    rehearsal BIGINT NOT NULL,     -- of the built-in stand-in: it rang nobody
    -- What the facts mean, for people and for indexes:
    state TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C"
);
CREATE UNIQUE INDEX one_live_claim ON attempts (phone, rehearsal)
    WHERE origin = 'claimed' AND refused IS NULL AND absent IS NULL AND parked IS NULL AND ended IS NULL
        AND given_up = 0;
CREATE INDEX attempts_on ON attempts (phone, claimed);
CREATE INDEX attempts_of ON attempts (campaign, began);
CREATE INDEX attempts_live ON attempts (campaign, run) WHERE state IN ('claimed', 'in-doubt', 'placed');
CREATE INDEX attempts_found ON attempts (campaign) WHERE origin = 'found';
CREATE INDEX attempts_answered ON attempts (campaign, received) WHERE received IS NOT NULL;

CREATE TABLE batches (
    campaign BIGINT NOT NULL,
    number BIGINT NOT NULL,
    leads TEXT COLLATE "C" NOT NULL,            -- JSON: their numbers, in list order
    size BIGINT NOT NULL,
    opened BIGINT NOT NULL,        -- wall clock
    closed BIGINT,                 -- wall clock
    PRIMARY KEY (campaign, number)
);
CREATE INDEX batches_open ON batches (campaign, number) WHERE closed IS NULL;

CREATE TABLE suppressions (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    phone BIGINT UNIQUE,           -- null for a person who is forgotten
    hash BYTEA NOT NULL UNIQUE,      -- keyed hash of the phone
    reason TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL             -- wall clock
);

-- Who runs a campaign. The term only grows; a run that finds another one than its own writes nothing more.
CREATE TABLE leases (
    account TEXT COLLATE "C" NOT NULL,
    mark TEXT COLLATE "C" NOT NULL,
    term BIGINT NOT NULL,
    host TEXT, pid BIGINT,
    since BIGINT,                   -- database clock
    expires BIGINT NOT NULL,        -- database clock
    PRIMARY KEY (account, mark),
    -- An update of the term waits for whoever has the row locked FOR KEY SHARE; a renewal does not.
    UNIQUE (account, mark, term)
);

-- The numbers of a list in JSON, as in SQLite.
CREATE FUNCTION json_each(list TEXT) RETURNS TABLE (value BIGINT) LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT item::BIGINT FROM jsonb_array_elements_text(list::jsonb) AS item $$;

CREATE TABLE lead_counts (
    campaign BIGINT NOT NULL,
    listed BIGINT NOT NULL,
    standing TEXT COLLATE "C" NOT NULL,
    class TEXT COLLATE "C" NOT NULL,
    leads BIGINT NOT NULL,
    PRIMARY KEY (campaign, listed, standing, class)
) WITH (fillfactor = 50);

CREATE FUNCTION count_lead() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE lead_counts SET leads = lead_counts.leads - 1 WHERE campaign = OLD.campaign AND listed = OLD.listed
        AND standing = OLD.standing AND class = coalesce(OLD.class, '');
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO lead_counts VALUES (NEW.campaign, NEW.listed, NEW.standing, coalesce(NEW.class, ''), 1)
            ON CONFLICT (campaign, listed, standing, class) DO UPDATE SET leads = lead_counts.leads + 1;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lead_changed AFTER UPDATE OF listed, standing, class ON leads FOR EACH ROW
    WHEN ((OLD.listed, OLD.standing, OLD.class) IS DISTINCT FROM (NEW.listed, NEW.standing, NEW.class))
    EXECUTE FUNCTION count_lead();
CREATE TRIGGER lead_gone AFTER DELETE ON leads FOR EACH ROW EXECUTE FUNCTION count_lead();

CREATE TABLE attempt_counts (
    campaign BIGINT PRIMARY KEY,
    attempts BIGINT NOT NULL DEFAULT 0,
    ended BIGINT NOT NULL DEFAULT 0,
    cost BIGINT NOT NULL DEFAULT 0,
    talk BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE FUNCTION count_attempt(it attempts, by BIGINT) RETURNS void LANGUAGE sql SET search_path FROM CURRENT AS $$
    INSERT INTO attempt_counts SELECT it.campaign, by, by * (it.state = 'ended')::INTEGER,
        by * round(coalesce(it.cost, 0)::NUMERIC * 1000000)::BIGINT,
        by * coalesce(greatest(CASE WHEN it.started IS NOT NULL THEN it.ended - it.started END, 0), 0)
        WHERE it.origin <> 'found'
        ON CONFLICT (campaign) DO UPDATE SET attempts = attempt_counts.attempts + excluded.attempts,
        ended = attempt_counts.ended + excluded.ended, cost = attempt_counts.cost + excluded.cost,
        talk = attempt_counts.talk + excluded.talk;
$$;
CREATE FUNCTION count_attempts() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        PERFORM count_attempt(OLD, -1);
    END IF;
    PERFORM count_attempt(NEW, 1);
    RETURN NULL;
END $$;
CREATE TRIGGER attempt_added AFTER INSERT ON attempts FOR EACH ROW EXECUTE FUNCTION count_attempts();
CREATE TRIGGER attempt_changed AFTER UPDATE OF origin, state, cost, ended, started ON attempts FOR EACH ROW
    WHEN ((OLD.origin, OLD.state, OLD.cost, OLD.ended, OLD.started)
        IS DISTINCT FROM (NEW.origin, NEW.state, NEW.cost, NEW.ended, NEW.started))
    EXECUTE FUNCTION count_attempts();

CREATE TABLE analyses (
    attempt TEXT COLLATE "C" PRIMARY KEY,
    success TEXT, summary TEXT, structured TEXT, recording TEXT,
    transcript_chars BIGINT
);
CREATE TABLE settlements (
    lead BIGINT PRIMARY KEY,
    campaign BIGINT NOT NULL,
    number BIGINT NOT NULL,
    written BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX settlements_unwritten ON settlements (campaign, lead) WHERE written < number;
CREATE TABLE results_files (
    campaign BIGINT NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    device BIGINT NOT NULL, inode BIGINT NOT NULL,
    length BIGINT NOT NULL,
    PRIMARY KEY (campaign, path)
);
CREATE TABLE live_status (campaign BIGINT PRIMARY KEY, run BIGINT NOT NULL, at BIGINT NOT NULL, status TEXT NOT NULL);

CREATE FUNCTION settle_lead() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM settlements WHERE lead = OLD.id;
    ELSE
        INSERT INTO settlements (lead, campaign, number) VALUES (NEW.id, NEW.campaign, 1)
            ON CONFLICT (lead) DO UPDATE SET number = settlements.number + 1;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lead_settled AFTER UPDATE OF settled ON leads FOR EACH ROW
    WHEN (OLD.settled IS NULL AND NEW.settled IS NOT NULL AND NEW.phone > 0) EXECUTE FUNCTION settle_lead();
CREATE TRIGGER settled_lead_gone AFTER DELETE ON leads FOR EACH ROW EXECUTE FUNCTION settle_lead();
CREATE FUNCTION forget_attempt() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM analyses WHERE attempt = OLD.attempt;
    RETURN NULL;
END $$;
CREATE TRIGGER attempt_gone AFTER DELETE ON attempts FOR EACH ROW EXECUTE FUNCTION forget_attempt();

CREATE TABLE pool_histories (
    run BIGINT PRIMARY KEY,
    campaign BIGINT NOT NULL,
    lowest_free BIGINT,
    below_reserve BIGINT NOT NULL,
    points TEXT NOT NULL
);
CREATE INDEX pool_histories_of ON pool_histories (campaign);
