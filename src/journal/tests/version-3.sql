PRAGMA foreign_keys = OFF;
PRAGMA application_id = 1280068175;
PRAGMA user_version = 3;
BEGIN TRANSACTION;
CREATE TABLE target (
    id INTEGER PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    -- How many processes have written results at it: what orders the results of one source.
    invocations INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO target VALUES(1,'local:4df959ee-508f-4a55-b746-449e1d355a28','{"kind":"endpoint","url":"http://127.0.0.1:8199","region":"us-east-1","registry":"4df959ee-508f-4a55-b746-449e1d355a28"}',3);
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    target INTEGER NOT NULL REFERENCES target (id),
    command TEXT NOT NULL,
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
    -- Creates a second that the service allowed at its end; NULL where nothing bounded them.
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
INSERT INTO run VALUES(1,'01a222e3-8de4-7498-85bc-ec2bf3967672',1,'lineload import m --local --quiet',1795881668068,16259,1795881668102,'done','/tmp/undo/d','{"on_exists":"skip","drift":"unknown","stamp":{},"profile":null}',NULL,1,1,1,3,3);
INSERT INTO run VALUES(2,'01a222e3-8e46-73d4-83e5-1de74c1c5a09',1,'lineload import m --local --quiet --max-errors 5',1795881668166,16272,1795881668212,'done','/tmp/undo/d','{"on_exists":"skip","drift":"unknown","stamp":{},"profile":null}',NULL,1,1,4,4,1);
INSERT INTO run VALUES(3,'01a222e3-92c6-7762-a890-5503897e3a99',1,'lineload import m/1.yaml --yes --endpoint-url http://127.0.0.1:8199',1795881669318,16293,NULL,NULL,'/tmp/undo/d','{"on_exists":"skip","drift":"unknown","stamp":{},"profile":null}',NULL,1,0,5,5,1);
CREATE TABLE file (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    path TEXT NOT NULL,
    -- SHA-256 of what it held when the run was staged; zeros where that does not matter.
    digest BLOB NOT NULL
) STRICT;
INSERT INTO file VALUES(1,1,'m/1.yaml',X'6ac53162224cad2e138be139af25d7447d7f2681f2ff4feb4c1167eb736d65d3');
INSERT INTO file VALUES(2,1,'m/2.yaml',X'd85db05b84fa29eb6a52182310ff9f1dd74050947e772995838c51ea023370ed');
INSERT INTO file VALUES(3,1,'m/3.yaml',X'e6935e5454dcea0e8da651de091c1456966c33b9f81e799a9ef9dfb3715d3a6b');
INSERT INTO file VALUES(4,2,'m/2.yaml',X'10a9bd0ff6b036ab3044a264f7999649cfe567429e1973e034cfc009757ae3f8');
INSERT INTO file VALUES(5,3,'m/1.yaml',X'7a663afb9de34821a0d885ae3ce44b1a08518d562233bc62c24b0f33a66b59a8');
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
INSERT INTO entry VALUES(1,1,1,1,'a1','s3://bucket/1',X'1a5af2e8787410dbce11b90b3dc3589a',X'18736f30c4f11192f6e553145083590f','["DataSet",["Custom","v1"],{"Owner":"me"},[],["team","t"]]');
INSERT INTO entry VALUES(2,1,2,1,'a2','s3://bucket/2',X'892d59001ddd79178360b54facfa0832',X'95429dd651ce9f3c7a67a78254964d15','["DataSet",["Custom","v2"],{"Owner":"me"},[],["team","t"]]');
INSERT INTO entry VALUES(3,1,3,1,'a3','s3://bucket/3',X'f59665545ad48525284ad815b6a340cc',X'66b5a031328ee664a5a5a69f9f2e5152','["DataSet",["Custom","v3"],{"Owner":"me"},[],["team","t"]]');
INSERT INTO entry VALUES(4,2,4,1,'a2','s3://bucket/2',X'892d59001ddd79178360b54facfa0832',X'da738b9c53149cb8262387d463bd0c18','["DataSet",["Custom","v2"],{"Owner":"you"},[],["team","t"]]');
INSERT INTO entry VALUES(5,3,5,1,'a4','s3://bucket/4',X'08af09a9de2e1105476b827908a5651b',X'790a9851c603b4d17e3252a2147b1702','["DataSet",["Custom","v4"],{"Owner":"me"},[],["team","t"]]');
CREATE TABLE source (
    source BLOB NOT NULL,
    entry INTEGER NOT NULL,
    PRIMARY KEY (source, entry)
) STRICT, WITHOUT ROWID;
INSERT INTO source VALUES(X'08af09a9de2e1105476b827908a5651b',5);
INSERT INTO source VALUES(X'1a5af2e8787410dbce11b90b3dc3589a',1);
INSERT INTO source VALUES(X'892d59001ddd79178360b54facfa0832',2);
INSERT INTO source VALUES(X'892d59001ddd79178360b54facfa0832',4);
INSERT INTO source VALUES(X'f59665545ad48525284ad815b6a340cc',3);
CREATE TABLE open (
    entry INTEGER PRIMARY KEY,
    attempts INTEGER NOT NULL,
    -- When the first and the last of them were made.
    first_ms INTEGER NOT NULL,
    intent_ms INTEGER NOT NULL
) STRICT;
INSERT INTO open VALUES(5,1,1795881669340,1795881669340);
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
INSERT INTO result VALUES(1,1,1795881668096,1795881668102,1,'created',1,X'01a222e38e067000bed729ac26d98f30',X'c696c361583143b7a15e4cfd6583532f',NULL,NULL,1,NULL);
INSERT INTO result VALUES(2,1,1795881668096,1795881668102,1,'created',1,X'01a222e38e067000bed729ac26d98f31',X'7d72cb4122244ed583bd0b34b5b22413',NULL,NULL,1,NULL);
INSERT INTO result VALUES(3,1,1795881668096,1795881668102,1,'created',1,X'01a222e38e057000bed729ac26d98f2f',X'a58aa2380c9743349e329d57c4b1fb2e',NULL,NULL,1,NULL);
INSERT INTO result VALUES(4,0,NULL,1795881668209,2,'differs',1,X'01a222e38e067000bed729ac26d98f31',NULL,NULL,'it differs in `Properties.Owner`',0,NULL);
CREATE TABLE prefix (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO prefix VALUES(1,'arn:aws:sagemaker:local:000000000000:artifact/');
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
    count(*) FILTER (WHERE outcome = 'invalid') AS invalid
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
    iif(typeof(arn) = 'blob', prefix.text || lower(hex(arn)), arn) AS arn,
    iif(typeof(request_id) = 'blob',
        lower(substr(hex(request_id), 1, 8) || '-' || substr(hex(request_id), 9, 4) || '-'
        || substr(hex(request_id), 13, 4) || '-' || substr(hex(request_id), 17, 4) || '-'
        || substr(hex(request_id), 21)), request_id) AS request_id,
    error_code, error_message
    FROM entry JOIN run ON run.id = entry.run JOIN target ON target.id = run.target
    JOIN file ON file.id = entry.file LEFT JOIN result ON result.entry = entry.id
    LEFT JOIN open ON open.entry = entry.id LEFT JOIN prefix ON prefix.id = result.prefix
    WHERE ready ORDER BY entry.id;
COMMIT;
