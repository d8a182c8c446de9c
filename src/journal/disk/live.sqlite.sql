-- What the newest run of a campaign last told other shells of itself. It is written without being waited for.

CREATE TABLE live_status (
    campaign INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    at INTEGER NOT NULL,            -- wall clock
    status TEXT NOT NULL            -- JSON
) STRICT;
