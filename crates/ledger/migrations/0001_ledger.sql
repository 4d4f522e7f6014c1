-- The same text for SQLite and PostgreSQL: TEXT and BIGINT alone, nothing null. Times are microseconds since 1970, UTC.

-- One row. Whoever writes updates it first, so that writers take turns.
CREATE TABLE turn (id BIGINT PRIMARY KEY, taken BIGINT NOT NULL);
INSERT INTO turn (id, taken) VALUES (1, 0);

CREATE TABLE runs (
    run BIGINT PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    gangs BIGINT NOT NULL,
    warnings BIGINT NOT NULL
);

CREATE TABLE gangs (
    gang_id TEXT PRIMARY KEY,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    first_run BIGINT NOT NULL,
    last_run BIGINT NOT NULL,
    -- When it came back after a long silence; 0: it did not.
    back_at BIGINT NOT NULL,
    -- The gang that took it in, or ''.
    superseded_by TEXT NOT NULL
);

CREATE TABLE campaigns (
    campaign_id TEXT PRIMARY KEY,
    gang_id TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    signature TEXT NOT NULL
);
CREATE INDEX campaigns_of_gang ON campaigns (gang_id);

-- What a run computed to be one gang, before any decision: by these values the next run knows it again. An address is
-- re-rented, so each row is an interval; after `valid_until` it proves nothing.
CREATE TABLE indicators (
    gang_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    valid_from BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    valid_until BIGINT NOT NULL,
    strength TEXT NOT NULL,
    hosts BIGINT NOT NULL,
    PRIMARY KEY (gang_id, kind, value, valid_from)
);
CREATE INDEX indicators_by_value ON indicators (kind, value);

-- Methods, behaviours, infrastructure, platforms, tenants and regions of a gang.
CREATE TABLE facts (
    gang_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    -- As many as are known by name, or were counted in one run.
    hosts BIGINT NOT NULL,
    -- The first few, as JSON.
    host_names TEXT NOT NULL,
    -- 1: a warning told of it.
    told BIGINT NOT NULL,
    PRIMARY KEY (gang_id, kind, value)
);

CREATE TABLE gang_hosts (
    gang_id TEXT NOT NULL,
    host TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    PRIMARY KEY (gang_id, host)
);

CREATE TABLE gang_days (
    gang_id TEXT NOT NULL,
    day TEXT NOT NULL,
    hosts BIGINT NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (gang_id, day)
);

-- Methods and behaviours, day by day.
CREATE TABLE fact_days (
    gang_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    day TEXT NOT NULL,
    hosts BIGINT NOT NULL,
    PRIMARY KEY (gang_id, kind, value, day)
);

CREATE TABLE lineage (
    run BIGINT NOT NULL,
    kind TEXT NOT NULL,
    gang_id TEXT NOT NULL,
    other TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (kind, gang_id, other)
);

CREATE TABLE warnings (
    warning_id TEXT PRIMARY KEY,
    run BIGINT NOT NULL,
    at BIGINT NOT NULL,
    -- How far the logs went that gave it.
    seen BIGINT NOT NULL,
    kind TEXT NOT NULL,
    gang_id TEXT NOT NULL,
    -- 1: beyond the day's budget.
    held BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX warnings_of_run ON warnings (run);

-- Never changed, never deleted: what is taken back stays, and a later row says so.
CREATE TABLE decisions (
    seq BIGINT PRIMARY KEY,
    decision_id TEXT NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
);

-- Which hosts are whose, and where.
CREATE TABLE places (pattern TEXT PRIMARY KEY, tenant TEXT NOT NULL, region TEXT NOT NULL);

-- Messages that wait to be sent, or were sent.
CREATE TABLE outbox (
    message_id TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    -- 0: it waits.
    sent BIGINT NOT NULL,
    error TEXT NOT NULL
);
CREATE INDEX outbox_waiting ON outbox (channel, sent, not_before);

CREATE TABLE dead_letters (
    message_id TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    died BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    error TEXT NOT NULL
);
