-- What each gang did on each host, day by day: every number of a trend report is a sum over these rows. An empty method:
-- the way in is not known.
CREATE TABLE activity (
    gang_id TEXT NOT NULL,
    day TEXT NOT NULL,
    host TEXT NOT NULL,
    method TEXT NOT NULL,
    episodes BIGINT NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (gang_id, day, host, method)
);
CREATE INDEX activity_by_day ON activity (day);

-- Of hosts, where an asset list tells.
ALTER TABLE places ADD COLUMN sector TEXT NOT NULL DEFAULT '';
ALTER TABLE places ADD COLUMN service TEXT NOT NULL DEFAULT '';
