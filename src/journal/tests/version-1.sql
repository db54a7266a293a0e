PRAGMA foreign_keys = OFF;
PRAGMA application_id = 1280068175;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    file TEXT NOT NULL,
    line INTEGER NOT NULL,
    name TEXT,
    source_uri TEXT NOT NULL,
    -- What makes it the same at a target: 128 bits of SHA-256 of URI and source types.
    source BLOB NOT NULL,
    -- SHA-256 of the request.
    digest BLOB NOT NULL,
    request TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    -- When the last attempt was made: durable before it leaves.
    intent_ms INTEGER,
    settled_ms INTEGER,
    -- NULL until it is known.
    outcome TEXT,
    arn TEXT,
    request_id TEXT,
    error_code TEXT,
    error_message TEXT
) STRICT;
INSERT INTO "entry" VALUES(1,1,'m/1.yaml',1,'a1','s3://bucket/1',X'4552FAA4C8F97172382EBEFA989586EC',X'376B4A1105E193320F75AE565427CBAD4814B7FFDC47DF75F5DC7C79C25D9F35','{"ArtifactName":"a1","ArtifactType":"DataSet","Source":{"SourceUri":"s3://bucket/1"}}',1,1795552136655,1795552136783,'created','arn:aws:sagemaker:local:000000000000:artifact/01a20f3f4e437614930fe8e220bc6d11','807223dd-497a-4843-bc2b-2539d426b147',NULL,NULL);
INSERT INTO "entry" VALUES(2,1,'m/2.yaml',1,'a2','s3://bucket/2',X'62B7630B355B6A5A7296E2708335F2DC',X'D1BEEF37048C56DBC0239A7CC484D1FCBFF450215A6136E08584647FD6BCCAF1','{"ArtifactName":"a2","ArtifactType":"DataSet","Source":{"SourceUri":"s3://bucket/2"}}',1,1795552136655,1795552136772,'created','arn:aws:sagemaker:local:000000000000:artifact/01a20f3f4e437614930fe8e379d780b4','57b7c784-e3a8-48aa-8765-df4bdf04c9b5',NULL,NULL);
CREATE TABLE known (
    target INTEGER NOT NULL REFERENCES target (id),
    source BLOB NOT NULL,
    digest BLOB NOT NULL,
    request TEXT NOT NULL,
    arn TEXT,
    entry INTEGER NOT NULL,
    PRIMARY KEY (target, source)
) STRICT, WITHOUT ROWID;
INSERT INTO "known" VALUES(1,X'4552FAA4C8F97172382EBEFA989586EC',X'376B4A1105E193320F75AE565427CBAD4814B7FFDC47DF75F5DC7C79C25D9F35','{"ArtifactName":"a1","ArtifactType":"DataSet","Source":{"SourceUri":"s3://bucket/1"}}','arn:aws:sagemaker:local:000000000000:artifact/01a20f3f4e437614930fe8e220bc6d11',1);
INSERT INTO "known" VALUES(1,X'62B7630B355B6A5A7296E2708335F2DC',X'D1BEEF37048C56DBC0239A7CC484D1FCBFF450215A6136E08584647FD6BCCAF1','{"ArtifactName":"a2","ArtifactType":"DataSet","Source":{"SourceUri":"s3://bucket/2"}}','arn:aws:sagemaker:local:000000000000:artifact/01a20f3f4e437614930fe8e379d780b4',2);
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    target INTEGER NOT NULL REFERENCES target (id),
    command TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    process INTEGER NOT NULL,
    ended_ms INTEGER,
    -- How it ended, in words; NULL where it was killed or still runs.
    ending TEXT
) STRICT;
INSERT INTO "run" VALUES(1,'01a20f3f-4dc4-76ff-af06-79a5a3f7ff9f',1,'lineload import m --local',1795552136649,11839,1795552136783,'done');
CREATE TABLE target (
    id INTEGER PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL
) STRICT;
INSERT INTO "target" VALUES(1,'local:fc207b35-a317-42c4-ae34-3269cb861e64','{"kind":"local","registry":"fc207b35-a317-42c4-ae34-3269cb861e64","file":".lineload/registry.sqlite3"}');
CREATE INDEX entry_by_run ON entry (run, outcome);
CREATE INDEX entry_open ON entry (run) WHERE outcome IS NULL;
CREATE VIEW runs AS SELECT
    run.uuid AS run,
    target.identity AS target,
    strftime('%Y-%m-%dT%H:%M:%fZ', started_ms / 1000.0, 'unixepoch') AS started,
    strftime('%Y-%m-%dT%H:%M:%fZ', ended_ms / 1000.0, 'unixepoch') AS ended,
    ending,
    command,
    count(entry.id) AS entries,
    count(*) FILTER (WHERE outcome = 'created') AS created,
    count(*) FILTER (WHERE outcome = 'recovered') AS recovered,
    count(*) FILTER (WHERE outcome = 'existed') AS existed,
    count(*) FILTER (WHERE outcome IN ('differs', 'conflict', 'rejected', 'unresolved')) AS failed,
    count(entry.id) FILTER (WHERE outcome IS NULL) AS left
    FROM run JOIN target ON target.id = run.target LEFT JOIN entry ON entry.run = run.id
    GROUP BY run.id ORDER BY run.id;
CREATE VIEW entries AS SELECT
    run.uuid AS run,
    target.identity AS target,
    file, line, name, source_uri,
    coalesce(outcome, iif(intent_ms IS NULL, 'pending', 'open')) AS outcome,
    attempts,
    strftime('%Y-%m-%dT%H:%M:%fZ', intent_ms / 1000.0, 'unixepoch') AS attempted,
    strftime('%Y-%m-%dT%H:%M:%fZ', settled_ms / 1000.0, 'unixepoch') AS settled,
    arn, request_id, error_code, error_message
    FROM entry JOIN run ON run.id = entry.run JOIN target ON target.id = run.target
    ORDER BY entry.id;
COMMIT;
