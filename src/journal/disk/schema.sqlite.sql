-- One database for a whole state directory. Instants are microseconds on this machine's line of time, stamps
-- microseconds on the provider's, wall-clock times microseconds since 1970; 0 and 1 are no and yes.

CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,      -- the organisation's id; on loopback the base URL with it
    watermark INTEGER,              -- stamp: the listing is known up to here
    known_from INTEGER              -- stamp: and from there on, without a gap
) STRICT;

CREATE TABLE keys (
    hash BLOB PRIMARY KEY,          -- keyed hash of the base URL and the API key
    account INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE campaigns (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    mark TEXT NOT NULL,
    name TEXT,                      -- null: nothing is known of it but calls with its mark
    lists TEXT,                     -- JSON: canonical paths
    target TEXT,                    -- the assistant, squad or workflow
    generation INTEGER NOT NULL DEFAULT 0,
    list_hash BLOB,                 -- of the rows of the newest list
    imported TEXT,                  -- JSON: what its import counted
    plan_hash BLOB,                 -- of what the leads' standing was worked out with
    created INTEGER,                -- wall clock
    adopted INTEGER,                -- instant: the second search after an adoption is still to come
    paused INTEGER NOT NULL DEFAULT 0,
    stop INTEGER NOT NULL DEFAULT 0,
    in_doubt INTEGER,               -- how long its newest run lets absence hold, in microseconds; -1: for ever
    UNIQUE (account, mark)
) STRICT;

CREATE TABLE pools (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,      -- the account's, unless it was named
    last_limit INTEGER, last_limit_at INTEGER,
    observer INTEGER,               -- the run whose observation this is
    at INTEGER, heard INTEGER, named_limit INTEGER, remaining INTEGER, call TEXT, sent INTEGER, received INTEGER,
    rate_until INTEGER              -- instant: no POST before then
) STRICT;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL,
    pool INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    started INTEGER NOT NULL,       -- wall clock
    ended INTEGER,                  -- wall clock: it said so, or its death was noticed
    reserve INTEGER NOT NULL,
    seen_limit INTEGER, seen_limit_at INTEGER,
    keeps_since INTEGER,            -- instant: it leaves a free slot to another run that waits
    passed INTEGER NOT NULL DEFAULT 0 -- a slot was left to it and not taken
) STRICT;
CREATE INDEX runs_alive ON runs (pool) WHERE ended IS NULL;
CREATE INDEX runs_of ON runs (campaign);

CREATE TABLE zone_sets (id INTEGER PRIMARY KEY, zones TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE leads (
    id INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL,
    place INTEGER NOT NULL,         -- list and line, as one number that sorts
    phone INTEGER NOT NULL,
    extension TEXT NOT NULL,
    lead TEXT NOT NULL,             -- JSON, but for the zones
    zone_set INTEGER NOT NULL,
    generation INTEGER NOT NULL,    -- of the list that brought it in
    added INTEGER NOT NULL,         -- instant
    listed INTEGER NOT NULL DEFAULT 1,
    suppressed INTEGER NOT NULL DEFAULT 0,
    -- Worked out from the facts of its attempts and the plan of the day, and kept for the sake of speed:
    standing TEXT NOT NULL DEFAULT 'open',
    class TEXT,
    due INTEGER NOT NULL DEFAULT 0, -- wall clock; 0: now
    later INTEGER NOT NULL DEFAULT 0,
    doubts INTEGER NOT NULL DEFAULT 0,
    settled INTEGER,                -- wall clock
    stale INTEGER NOT NULL DEFAULT 0 -- to be worked out again when its campaign starts
) STRICT;
CREATE UNIQUE INDEX leads_once ON leads (campaign, phone, extension);
CREATE INDEX leads_first ON leads (campaign, zone_set, place) WHERE standing = 'open' AND listed = 1 AND later = 0;
CREATE INDEX leads_later ON leads (campaign, zone_set, due, place) WHERE standing = 'open' AND listed = 1 AND later = 1;
CREATE INDEX leads_stale ON leads (campaign) WHERE stale = 1;
CREATE INDEX leads_called ON leads (campaign) WHERE later = 1;
CREATE INDEX leads_parked ON leads (campaign, place) WHERE standing = 'parked';
CREATE INDEX leads_settled ON leads (campaign, settled) WHERE settled IS NOT NULL;

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    attempt TEXT NOT NULL UNIQUE,
    origin TEXT NOT NULL,           -- claimed, found, adopted
    campaign INTEGER NOT NULL,
    lead INTEGER,
    phone INTEGER,
    run INTEGER,
    line TEXT,
    claimed INTEGER NOT NULL,       -- instant
    began INTEGER NOT NULL,         -- wall clock
    provider_time INTEGER NOT NULL, -- stamp
    sent INTEGER, received INTEGER, taken INTEGER,
    refused TEXT,
    blocked INTEGER NOT NULL,
    failed INTEGER,                 -- instant
    rung INTEGER NOT NULL,
    started INTEGER,                -- stamp
    spoke INTEGER NOT NULL,
    ended INTEGER, reason TEXT,     -- stamp
    given_up INTEGER NOT NULL,
    absent INTEGER,                 -- instant
    parked INTEGER,                 -- instant
    released INTEGER NOT NULL,
    call TEXT,
    created INTEGER,                -- stamp; not null: the call exists
    shown INTEGER,                  -- instant: since then we know
    updated INTEGER,                -- stamp
    cost REAL,
    opt_out INTEGER NOT NULL,
    reopened INTEGER NOT NULL,
    twin TEXT,
    message TEXT,
    rehearsal INTEGER NOT NULL,     -- of the built-in stand-in: it rang nobody
    -- What the facts mean, for people and for indexes:
    state TEXT NOT NULL,
    outcome TEXT
) STRICT;
CREATE UNIQUE INDEX one_live_claim ON attempts (phone, rehearsal)
    WHERE origin = 'claimed' AND refused IS NULL AND absent IS NULL AND parked IS NULL AND ended IS NULL
        AND given_up = 0;
CREATE INDEX attempts_on ON attempts (phone, claimed);
CREATE INDEX attempts_of ON attempts (campaign, began);
CREATE INDEX attempts_live ON attempts (campaign, run) WHERE state IN ('claimed', 'in-doubt', 'placed');
CREATE INDEX attempts_found ON attempts (campaign) WHERE origin = 'found';
CREATE INDEX attempts_answered ON attempts (campaign, received) WHERE received IS NOT NULL;

CREATE TABLE batches (
    campaign INTEGER NOT NULL,
    number INTEGER NOT NULL,
    leads TEXT NOT NULL,            -- JSON: their numbers, in list order
    size INTEGER NOT NULL,
    opened INTEGER NOT NULL,        -- wall clock
    closed INTEGER,                 -- wall clock
    PRIMARY KEY (campaign, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX batches_open ON batches (campaign, number) WHERE closed IS NULL;

CREATE TABLE suppressions (
    id INTEGER PRIMARY KEY,
    phone INTEGER UNIQUE,           -- null for a person who is forgotten
    hash BLOB NOT NULL UNIQUE,      -- keyed hash of the phone
    reason TEXT NOT NULL,
    at INTEGER NOT NULL             -- wall clock
) STRICT;
