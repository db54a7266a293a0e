//! The tables of a journal, and its views for people.

/// The tables of version 4. What is written while a run sends is small and grows at its end, so
/// that a commit changes a page or two: `entry` does not change once it is staged, `open` has a row
/// for each request that is in flight, `result` one for each that was answered.
pub(super) const TABLES: &str = "
CREATE TABLE target (
    id INTEGER PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    -- How many processes have written results at it: what orders the results of one source.
    invocations INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    target INTEGER NOT NULL REFERENCES target (id),
    command TEXT NOT NULL,
    -- Whether it deletes what its entries name: their rows in `result` have the ARNs from the start.
    deletes INTEGER NOT NULL DEFAULT 0,
    started_ms INTEGER NOT NULL,
    process INTEGER NOT NULL,
    ended_ms INTEGER,
    -- How it ended, in words; NULL where it was killed or still runs.
    ending TEXT,
    -- The directory that its paths are relative to.
    folder TEXT,
    -- How it was asked to go about what exists, as JSON, for `lineload resume`; with `resumed_by`,
    -- the command that did that last.
    settings TEXT,
    -- Creates or deletes a second that the service allowed at its end; NULL where nothing bounded them.
    rate REAL,
    -- Whether all of its entries are in. One that is not is deleted when the journal is opened again.
    ready INTEGER NOT NULL DEFAULT 0,
    -- Whether nothing of it is left. Where this is 0, there may still be nothing left.
    done INTEGER NOT NULL DEFAULT 0,
    -- Its entries have the numbers from the first to the last, those that were discarded left out.
    first INTEGER NOT NULL,
    last INTEGER NOT NULL DEFAULT 0,
    -- How many entries it has.
    entries INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE file (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    path TEXT NOT NULL,
    -- SHA-256 of what it held when the run was staged; zeros where that does not matter.
    digest BLOB NOT NULL
) STRICT;
CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    file INTEGER NOT NULL REFERENCES file (id),
    line INTEGER NOT NULL,
    name TEXT,
    source_uri TEXT,
    -- What makes it the same at a target: 128 bits of SHA-256 of URI and source types. This and what
    -- follows is NULL where the manifest has an error.
    source BLOB,
    -- 128 bits of SHA-256 of the request.
    digest BLOB,
    -- The rest of the request, as a JSON array: type, source types, properties, metadata, tags.
    request TEXT
) STRICT;
-- The entries of each source, of runs that are ready.
CREATE TABLE source (
    source BLOB NOT NULL,
    entry INTEGER NOT NULL,
    PRIMARY KEY (source, entry)
) STRICT, WITHOUT ROWID;
-- Attempts of which no answer is known. A row is durable before the request leaves.
CREATE TABLE open (
    entry INTEGER PRIMARY KEY,
    attempts INTEGER NOT NULL,
    -- When the first and the last of them were made.
    first_ms INTEGER NOT NULL,
    intent_ms INTEGER NOT NULL
) STRICT;
-- What became of entries.
CREATE TABLE result (
    entry INTEGER PRIMARY KEY,
    -- How many attempts were made, those of `open` left out.
    attempts INTEGER NOT NULL DEFAULT 0,
    intent_ms INTEGER,
    settled_ms INTEGER,
    -- Which of the invocations at the target noted it.
    invocation INTEGER NOT NULL DEFAULT 0,
    -- NULL where every attempt came to nothing.
    outcome TEXT,
    -- The ARN: 16 bytes of an id behind a prefix that many have, or a text.
    prefix INTEGER REFERENCES prefix (id),
    arn ANY,
    -- The 16 bytes of a UUID, or a text.
    request_id ANY,
    error_code TEXT,
    error_message TEXT,
    -- Whether what exists equals the entry; NULL where it was not compared.
    equal INTEGER,
    -- When it was changed last, by the target's clock; NULL where that was not seen.
    modified_ms INTEGER
) STRICT;
-- What ARNs begin with.
CREATE TABLE prefix (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;
";

/// The ARN of a result, as text; its prefix is to be joined.
macro_rules! arn {
    () => {
        "iif(typeof(arn) = 'blob', prefix.text || lower(hex(arn)), arn)"
    };
}

/// The request id of a result, as text.
macro_rules! request_id {
    () => {
        "iif(typeof(request_id) = 'blob',
        lower(substr(hex(request_id), 1, 8) || '-' || substr(hex(request_id), 9, 4) || '-'
        || substr(hex(request_id), 13, 4) || '-' || substr(hex(request_id), 17, 4) || '-'
        || substr(hex(request_id), 21)), request_id)"
    };
}

/// SQL: the digest of the rewrites of a `run`, as its settings have it.
macro_rules! rewrites {
    () => {
        "iif(json_valid(run.settings), json_extract(run.settings, '$.rewrites'), NULL)"
    };
}

/// SQL: what a `result` of an `entry` of a `run` says no longer holds, because a delete of its ARN was
/// sent: it took effect, or may have. A result without an ARN is given up too.
///
/// A listing that lags may show the ARN after its deletion, so only the answer to a create proves that it
/// is there again: at a service that derives ARNs from sources, the same one is created a second time.
/// What was settled is ordered by invocation. A delete that is open has none yet: it was sent before the
/// create if its entry was staged and its last attempt made before that.
macro_rules! undone {
    () => {
        "EXISTS (SELECT 1 FROM source AS deletion
         JOIN result AS undo ON undo.entry = deletion.entry
         JOIN entry AS undo_entry ON undo_entry.id = deletion.entry
         JOIN run AS undo_run ON undo_run.id = undo_entry.run
         WHERE deletion.source = entry.source AND undo_run.deletes
         AND undo_run.target = run.target
         AND (undo.outcome = 'deleted'
              OR EXISTS (SELECT 1 FROM open AS sent WHERE sent.entry = deletion.entry))
         AND (result.arn IS NULL OR (undo.prefix IS result.prefix AND undo.arn = result.arn))
         AND NOT EXISTS (SELECT 1 FROM source AS creation
             JOIN result AS redo ON redo.entry = creation.entry
             JOIN entry AS redo_entry ON redo_entry.id = creation.entry
             JOIN run AS redo_run ON redo_run.id = redo_entry.run
             LEFT JOIN open AS sent ON sent.entry = deletion.entry
             WHERE creation.source = entry.source AND redo_run.target = run.target
             AND NOT redo_run.deletes AND redo.outcome = 'created'
             AND redo.prefix IS result.prefix AND redo.arn IS result.arn
             AND redo.invocation <= result.invocation
             AND iif(sent.entry IS NULL, undo.invocation < redo.invocation,
                     sent.entry < redo.entry AND sent.intent_ms <= redo.settled_ms)))"
    };
}

pub(super) use {arn, request_id, rewrites, undone};

/// For people.
pub(super) const VIEWS: &str = concat!(
    "
CREATE VIEW runs AS SELECT
    run.uuid AS run,
    target.identity AS target,
    strftime('%Y-%m-%dT%H:%M:%fZ', started_ms / 1000.0, 'unixepoch') AS started,
    strftime('%Y-%m-%dT%H:%M:%fZ', ended_ms / 1000.0, 'unixepoch') AS ended,
    ending,
    command,
    entries - count(*) FILTER (WHERE outcome = 'invalid') AS entries,
    count(*) FILTER (WHERE outcome = 'created') AS created,
    count(*) FILTER (WHERE outcome = 'recovered') AS recovered,
    count(*) FILTER (WHERE outcome = 'existed') AS existed,
    count(*) FILTER (WHERE outcome = 'updated') AS updated,
    count(*) FILTER (WHERE outcome IN ('differs', 'conflict', 'rejected', 'unresolved')) AS failed,
    entries - count(outcome) AS left,
    rate,
    count(*) FILTER (WHERE outcome = 'invalid') AS invalid,
    count(*) FILTER (WHERE outcome = 'deleted') AS deleted,
    iif(deletes, 'delete', 'import') AS kind
    FROM run JOIN target ON target.id = run.target
    LEFT JOIN result ON result.entry BETWEEN run.first AND run.last
    WHERE ready GROUP BY run.id ORDER BY run.id;
CREATE VIEW entries AS SELECT
    run.uuid AS run,
    target.identity AS target,
    file.path AS file, line, name, source_uri,
    coalesce(outcome, iif(open.entry IS NULL, 'pending', 'open')) AS outcome,
    coalesce(result.attempts, 0) + coalesce(open.attempts, 0) AS attempts,
    strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(open.intent_ms, result.intent_ms) / 1000.0,
        'unixepoch') AS attempted,
    strftime('%Y-%m-%dT%H:%M:%fZ', settled_ms / 1000.0, 'unixepoch') AS settled,
    ",
    arn!(),
    " AS arn,
    ",
    request_id!(),
    " AS request_id,
    error_code, error_message
    FROM entry JOIN run ON run.id = entry.run JOIN target ON target.id = run.target
    JOIN file ON file.id = entry.file LEFT JOIN result ON result.entry = entry.id
    LEFT JOIN open ON open.entry = entry.id LEFT JOIN prefix ON prefix.id = result.prefix
    WHERE ready ORDER BY entry.id;
"
);
