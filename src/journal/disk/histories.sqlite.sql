-- What the runs of a campaign knew of the pool, for reports.

CREATE TABLE pool_histories (       -- the pool over the time of a run, as far as that run knew it
    run INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL,
    lowest_free INTEGER,            -- while it held any slots
    below_reserve INTEGER NOT NULL, -- microseconds for which fewer than the reserve were free
    points TEXT NOT NULL            -- JSON
) STRICT;
CREATE INDEX pool_histories_of ON pool_histories (campaign);
