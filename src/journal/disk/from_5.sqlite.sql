-- From version 5 of the schema to version 6.

CREATE TABLE live_status (
    campaign INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    at INTEGER NOT NULL,            -- wall clock
    status TEXT NOT NULL            -- JSON
) STRICT;
