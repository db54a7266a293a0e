PRAGMA foreign_keys = OFF;
PRAGMA application_id = 1280068175;
PRAGMA user_version = 2;
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
INSERT INTO "entry" VALUES(1,1,'m/1.yaml',1,'a1','s3://bucket/1',X'1A5AF2E8787410DBCE11B90B3DC3589A',X'18736F30C4F11192F6E553145083590FD6A5E7361EB4EEB39BFAD64CCD85B608','{"ArtifactName":"a1","ArtifactType":"DataSet","Source":{"SourceUri":"s3://bucket/1","SourceTypes":[{"SourceIdType":"Custom","Value":"v1"}]},"Properties":{"Owner":"me"},"Tags":[{"Key":"team","Value":"t"}]}',1,1780000001100,1780000001200,'created','arn:aws:sagemaker:local:000000000000:artifact/01a21efe8789766abd4aeb957bc68849','1963c23d-3ff9-4f56-a37a-8c5a7a447b17',NULL,NULL);
INSERT INTO "entry" VALUES(2,1,'m/2.yaml',2,'a2','s3://bucket/2',X'892D59001DDD79178360B54FACFA0832',X'95429DD651CE9F3C7A67A78254964D1546200FABCA7A5D8E2EC145659C4F32B6','{"ArtifactName":"a2","ArtifactType":"DataSet","Source":{"SourceUri":"s3://bucket/2","SourceTypes":[{"SourceIdType":"Custom","Value":"v2"}]},"Properties":{"Owner":"me"},"Tags":[{"Key":"team","Value":"t"}]}',2,1780000001110,1780000001210,'created','arn:aws:sagemaker:local:000000000000:artifact/01a21efe8789766abd4aeb94016dee67','not-a-uuid',NULL,NULL);
INSERT INTO "entry" VALUES(3,1,'m/3.yaml',3,'a3','s3://bucket/3',X'F59665545AD48525284AD815B6A340CC',X'66B5A031328EE664A5A5A69F9F2E51527CBF460B1CF85B552BD8BD7E56F0216C','{"ArtifactName":"a3","ArtifactType":"DataSet","Source":{"SourceUri":"s3://bucket/3","SourceTypes":[{"SourceIdType":"Custom","Value":"v3"}]},"Properties":{"Owner":"me"},"Tags":[{"Key":"team","Value":"t"}]}',1,1780000001120,1780000001220,'existed','arn:aws:sagemaker:local:000000000000:artifact/short',NULL,NULL,NULL);
INSERT INTO "entry" VALUES(4,2,'m/2.yaml',2,'a2','s3://bucket/2',X'892D59001DDD79178360B54FACFA0832',X'DA738B9C53149CB8262387D463BD0C18B0B9BFD91C819BDFFC26C2BB3AFF11A8','{"ArtifactName":"a2","ArtifactType":"DataSet","Source":{"SourceUri":"s3://bucket/2","SourceTypes":[{"SourceIdType":"Custom","Value":"v2"}]},"Properties":{"Owner":"you"},"Tags":[{"Key":"team","Value":"t"}]}',0,NULL,1780000002200,'differs','arn:aws:sagemaker:local:000000000000:artifact/01a21efe8789766abd4aeb94016dee67',NULL,NULL,'it differs in `Properties.Owner`');
INSERT INTO "entry" VALUES(5,2,'m/4.yaml',4,'a4','s3://bucket/4',X'08AF09A9DE2E1105476B827908A5651B',X'790A9851C603B4D17E3252A2147B170253E103BEF360933A7D486EC3EBF32DCA','{"ArtifactName":"a4","ArtifactType":"DataSet","Source":{"SourceUri":"s3://bucket/4","SourceTypes":[{"SourceIdType":"Custom","Value":"v4"}]},"Properties":{"Owner":"me"},"Tags":[{"Key":"team","Value":"t"}]}',1,1780000002100,1780000002210,'rejected',NULL,'7b56a748-210e-48c5-b83d-89e4addf3060','ValidationException','no');
INSERT INTO "entry" VALUES(6,2,'m/5.yaml',5,'a5','s3://bucket/5',X'6F1475D07C2A6A67FF87B3BCA1E5B483',X'6144F6D002FE495B963EC17DFB9CCCE5F49E7D4BF6A62F444F3C052CEB3AD352','{"ArtifactName":"a5","ArtifactType":"DataSet","Source":{"SourceUri":"s3://bucket/5","SourceTypes":[{"SourceIdType":"Custom","Value":"v5"}]},"Properties":{"Owner":"me"},"Tags":[{"Key":"team","Value":"t"}]}',3,1780000002120,1780000002220,'unresolved',NULL,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(7,3,'m/6.yaml',6,'a6','s3://bucket/6',X'5F0617BAB21FE9DF1B079C2F1213A738',X'6BC40F3AF26AA184A6649A041EA5B7A1400C44FC4F22603E403182A47137FE5E','{"ArtifactName":"a6","ArtifactType":"DataSet","Source":{"SourceUri":"s3://bucket/6","SourceTypes":[{"SourceIdType":"Custom","Value":"v6"}]},"Properties":{"Owner":"me"},"Tags":[{"Key":"team","Value":"t"}]}',2,1780000003100,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(8,3,'m/7.yaml',7,'a7','s3://bucket/7',X'6F811DF3D83EC929F4A9D2A5E11CC4A3',X'90A45B1721BFF855B7B3C8D88EB0705E733AAC452AD5DFEF78C55D32B7761AF2','{"ArtifactName":"a7","ArtifactType":"DataSet","Source":{"SourceUri":"s3://bucket/7","SourceTypes":[{"SourceIdType":"Custom","Value":"v7"}]},"Properties":{"Owner":"me"},"Tags":[{"Key":"team","Value":"t"}]}',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entry" VALUES(9,3,'m/8.yaml',8,'a8','s3://bucket/8',X'854D3863C2A34417AEF863B23CD6CC43',X'A0262650519527D30CB6373555B0748D7B0D07054D4604FCD4C11BD20B11101A','{"ArtifactName":"a8","ArtifactType":"DataSet","Source":{"SourceUri":"s3://bucket/8","SourceTypes":[{"SourceIdType":"Custom","Value":"v8"}]},"Properties":{"Owner":"me"},"Tags":[{"Key":"team","Value":"t"}]}',1,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE file (
    run INTEGER NOT NULL REFERENCES run (id),
    path TEXT NOT NULL,
    -- SHA-256 of what it held.
    digest BLOB NOT NULL,
    PRIMARY KEY (run, path)
) STRICT, WITHOUT ROWID;
INSERT INTO "file" VALUES(1,'m/1.yaml',X'829E7237BD163333AAD6A85E0F8BD67C6BBD35AE3B73646610027B9225981545');
INSERT INTO "file" VALUES(1,'m/2.yaml',X'5A0F4B05A3AAC14F09191849D25D91CF48ECDB372BE27A9124683E79C302FB56');
INSERT INTO "file" VALUES(1,'m/3.yaml',X'E3E767C373BD8AAD24D09F1388A8608EA8402357D2E05B60F4E7641E04BE2C6A');
INSERT INTO "file" VALUES(2,'m/2.yaml',X'5A0F4B05A3AAC14F09191849D25D91CF48ECDB372BE27A9124683E79C302FB56');
INSERT INTO "file" VALUES(2,'m/4.yaml',X'B5FD5A04B26D791DC1E99BCAECBA62126034C18CB10A93E6E7C1271239B8789D');
INSERT INTO "file" VALUES(2,'m/5.yaml',X'17CE73115F142D919E87CD5EE59E3B1C57D8969AA9EB5D0DBDFCEB771523F58C');
INSERT INTO "file" VALUES(3,'m/6.yaml',X'D38A27DF715F896A73729D8A01304226D6DB4AEA0BC65C0DBC7A125F9C580AFE');
INSERT INTO "file" VALUES(3,'m/7.yaml',X'81E31BC72740418DE961FBFCC30350E4771D27316EC7732BBC731131D70447FD');
CREATE TABLE known (
    target INTEGER NOT NULL REFERENCES target (id),
    source BLOB NOT NULL,
    -- Of the request that what is there equals; empty where it was seen to differ.
    digest BLOB NOT NULL,
    request TEXT NOT NULL,
    arn TEXT,
    entry INTEGER NOT NULL,
    -- When it was changed last, by the target's clock; NULL where that was not seen.
    modified_ms INTEGER,
    -- Whether a run with this journal created it.
    made INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (target, source)
) STRICT, WITHOUT ROWID;
INSERT INTO "known" VALUES(1,X'1A5AF2E8787410DBCE11B90B3DC3589A',X'18736F30C4F11192F6E553145083590FD6A5E7361EB4EEB39BFAD64CCD85B608','{"ArtifactName":"a1","ArtifactType":"DataSet","Source":{"SourceUri":"s3://bucket/1","SourceTypes":[{"SourceIdType":"Custom","Value":"v1"}]},"Properties":{"Owner":"me"},"Tags":[{"Key":"team","Value":"t"}]}','arn:aws:sagemaker:local:000000000000:artifact/01a21efe8789766abd4aeb957bc68849',1,NULL,1);
INSERT INTO "known" VALUES(1,X'892D59001DDD79178360B54FACFA0832',X'','{"ArtifactName":"a2","ArtifactType":"DataSet","Source":{"SourceUri":"s3://bucket/2","SourceTypes":[{"SourceIdType":"Custom","Value":"v2"}]},"Properties":{"Owner":"you"},"Tags":[{"Key":"team","Value":"t"}]}','arn:aws:sagemaker:local:000000000000:artifact/01a21efe8789766abd4aeb94016dee67',4,1779999999123,1);
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
    -- The folder that its paths are relative to.
    folder TEXT,
    -- How it was asked to go about what exists, as JSON, for `lineload resume`.
    settings TEXT,
    -- Creates a second that the service allowed at its end; NULL where nothing bounded them.
    rate REAL
) STRICT;
INSERT INTO "run" VALUES(1,'0a-first',1,'lineload import m --local',1780000001000,4711,1780000001900,'done','/work','{"onExists":"skip"}',12.5);
INSERT INTO "run" VALUES(2,'0b-second',1,'lineload import m --local',1780000002000,4711,1780000002900,'interrupted','/work','{"onExists":"skip"}',NULL);
INSERT INTO "run" VALUES(3,'0c-killed',1,'lineload import m --local',1780000003000,4711,NULL,NULL,'/work','{"onExists":"skip"}',NULL);
CREATE TABLE target (
    id INTEGER PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL
) STRICT;
INSERT INTO "target" VALUES(1,'local:r1','{"kind":"local","registry":"r1","file":".lineload/registry.sqlite3"}');
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
    count(*) FILTER (WHERE outcome = 'updated') AS updated,
    count(*) FILTER (WHERE outcome IN ('differs', 'conflict', 'rejected', 'unresolved')) AS failed,
    count(entry.id) FILTER (WHERE outcome IS NULL) AS left,
    rate
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
