-- The key of the content hashes. It is random, so that content with equal hashes cannot be constructed.
CREATE TABLE hash_key (
  bytes BLOB NOT NULL
);
INSERT INTO hash_key (bytes) VALUES (randomblob(16));
-- number: the number of the current run. A job that is resumed after its publication gets a new number, and its rows in
-- all tables that refer to it follow. Published objects keep the number of the run that published them.
CREATE TABLE job (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  integration TEXT NOT NULL,
  instance TEXT NOT NULL,
  state TEXT NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER,
  -- The options of the job as it was started, with which it is resumed.
  options TEXT NOT NULL,
  summary TEXT,
  -- The number of the newest lease. A writer with an older one is refused.
  epoch INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE step_run (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE ON UPDATE CASCADE,
  step TEXT NOT NULL,
  status TEXT NOT NULL,
  ended INTEGER NOT NULL,
  result TEXT NOT NULL,
  PRIMARY KEY (job, step)
) WITHOUT ROWID;
-- A completed partition: the result of a step under one parent. path: the position of the partition within the step;
-- outer: the number of the enclosing partition; books: the statistics of the partition, such as skipped objects and
-- findings.
CREATE TABLE part (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE ON UPDATE CASCADE,
  step TEXT NOT NULL,
  number INTEGER NOT NULL,
  parent TEXT NOT NULL,
  path TEXT NOT NULL,
  outer INTEGER,
  books TEXT NOT NULL,
  PRIMARY KEY (job, step, number)
) WITHOUT ROWID;
-- An object that a job collected, and after publication a version of an object.
--
-- kind: 0 entity, 1 relationship, 2 mapped relationship
-- part: the partition of the step; 0 without a parent, -1 if several partitions or steps added the object
-- parent: the parent under which the object was collected
-- hash: the keyed hash of the content; NULL after an amendment or a merge, until publication
-- same_as: the published version with the same content. Such a row has no content of its own, and is deleted when the
-- job cannot be resumed any more.
-- There is no foreign key to the job, because its check would cost as much as a tenth of inserting the object.
CREATE TABLE object (
  number INTEGER PRIMARY KEY,
  job INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  type TEXT NOT NULL,
  key TEXT NOT NULL,
  class TEXT NOT NULL,
  step TEXT NOT NULL,
  part INTEGER NOT NULL,
  parent INTEGER,
  from_key TEXT,
  to_key TEXT,
  hash INTEGER,
  same_as INTEGER,
  -- The canonical JSON of the properties, and the raw data of the provider as a JSON list. Raw data comes last, so that
  -- reading the other columns does not touch its pages.
  properties TEXT,
  raw TEXT
);
CREATE TABLE parent (
  number INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE
);
-- The index by type lists objects in the order of insertion: each new object goes to the end of its type.
CREATE INDEX object_by_type ON object (job, type);
-- The objects whose hash is computed at publication. There are few, so the index costs nothing.
CREATE INDEX object_without_hash ON object (job) WHERE hash IS NULL AND same_as IS NULL;
-- The key index: sorted runs of entries. Several runs of one level are merged into one run of the next level.
CREATE TABLE key_run (
  number INTEGER PRIMARY KEY,
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE ON UPDATE CASCADE,
  level INTEGER NOT NULL
);
CREATE INDEX key_run_by_job ON key_run (job, level);
-- A block of a run. entries: 16 bytes for each object, little-endian, namely the first 8 bytes of the SHA-256 of its
-- key and its row number; sorted by hash as a signed number. first: the first hash of the block.
CREATE TABLE key_block (
  run INTEGER NOT NULL REFERENCES key_run(number) ON DELETE CASCADE,
  first INTEGER NOT NULL,
  entries BLOB NOT NULL
);
CREATE INDEX key_block_by_first ON key_block (run, first);
-- The first object that may be missing in the key index of a job. Without a row here the index is complete.
CREATE TABLE recent_key (
  job INTEGER PRIMARY KEY REFERENCES job(number) ON DELETE CASCADE ON UPDATE CASCADE,
  since INTEGER NOT NULL
);
-- The objects of a type in key order, up to the object in sorted_to. The order is updated when the type is read in key
-- order: sorting many keys at once costs far less than inserting each of them at its position.
-- There is no foreign key to the job: with one, SQLite looks up each row by its key again in order to delete it.
CREATE TABLE sorted (
  job INTEGER NOT NULL,
  type TEXT NOT NULL,
  key TEXT NOT NULL,
  object INTEGER NOT NULL,
  PRIMARY KEY (job, type, key)
) WITHOUT ROWID;
CREATE TABLE sorted_to (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE ON UPDATE CASCADE,
  type TEXT NOT NULL,
  object INTEGER NOT NULL,
  PRIMARY KEY (job, type)
) WITHOUT ROWID;
-- The steps that described an entity if there are several; without a row here the step of the object is the only one.
CREATE TABLE contribution (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE ON UPDATE CASCADE,
  key TEXT NOT NULL,
  step TEXT NOT NULL,
  PRIMARY KEY (job, key, step)
) WITHOUT ROWID;
-- Objects of which a step gave several descriptions.
CREATE TABLE duplicate (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE ON UPDATE CASCADE,
  step TEXT NOT NULL,
  type TEXT NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (job, step, type, key)
) WITHOUT ROWID;
-- The partitions that described an entity if there are several. stays: 1 if the description is the stored one.
CREATE TABLE description (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE ON UPDATE CASCADE,
  key TEXT NOT NULL,
  step TEXT NOT NULL,
  part INTEGER NOT NULL,
  stays INTEGER NOT NULL,
  PRIMARY KEY (job, key, step, part)
) WITHOUT ROWID;
-- Relationships that were removed because they belong to a superseded description of one of their ends.
CREATE TABLE superseded (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE ON UPDATE CASCADE,
  step TEXT NOT NULL,
  type TEXT NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (job, step, type, key)
) WITHOUT ROWID;
-- Keys of entities that were rejected or removed. At the end of a job, relationships to keys without an entity are
-- removed too.
CREATE TABLE doubtful_end (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE ON UPDATE CASCADE,
  key TEXT NOT NULL,
  PRIMARY KEY (job, key)
) WITHOUT ROWID;
-- Gaps that earlier runs of a job left. parent: '' if the gap concerns the whole step.
CREATE TABLE earlier_gap (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE ON UPDATE CASCADE,
  step TEXT NOT NULL,
  parent TEXT NOT NULL,
  PRIMARY KEY (job, step, parent)
) WITHOUT ROWID;
CREATE TABLE quarantine (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE ON UPDATE CASCADE,
  kind INTEGER NOT NULL,
  type TEXT NOT NULL,
  key TEXT NOT NULL,
  step TEXT NOT NULL,
  part INTEGER NOT NULL,
  properties TEXT NOT NULL,
  raw TEXT,
  findings TEXT NOT NULL
);
CREATE TABLE job_data (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE ON UPDATE CASCADE,
  name TEXT NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (job, name)
) WITHOUT ROWID;
-- The instances whose graphs have been published.
CREATE TABLE instance (
  number INTEGER PRIMARY KEY,
  integration TEXT NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (integration, name)
);
-- A published graph. number: the number of the run that published it. An object is in the snapshot if it was published
-- by a run of the instance with this number or a lower one, and has not ended by then.
-- resumable: 1 if the objects of the run without content are kept, because the job can be resumed.
-- pruned: 1 if the snapshot can no longer be read, and only its versions are needed by newer snapshots.
CREATE TABLE snapshot (
  number INTEGER PRIMARY KEY,
  instance INTEGER NOT NULL REFERENCES instance(number),
  job TEXT NOT NULL,
  published INTEGER NOT NULL,
  resumable INTEGER NOT NULL,
  pruned INTEGER NOT NULL
);
CREATE INDEX snapshot_by_instance ON snapshot (instance, number);
CREATE INDEX snapshot_by_job ON snapshot (job);
-- The versions that are in no snapshot from a number on. dropped: 1 if a user dropped the stale version, so that no job
-- observed its absence.
CREATE TABLE ended (
  object INTEGER PRIMARY KEY,
  until INTEGER NOT NULL,
  dropped INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX ended_by_number ON ended (until);
-- The periods in which a version could neither be confirmed nor refuted. until: NULL if the period has not ended.
-- gap: the position of the gap in the list of the first snapshot of the period.
CREATE TABLE stale (
  object INTEGER NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER,
  gap INTEGER NOT NULL,
  PRIMARY KEY (object, since)
) WITHOUT ROWID;
CREATE INDEX stale_by_end ON stale (until);
-- The gaps of a snapshot. types: a JSON list; parent: NULL if the gap concerns all objects of its types
CREATE TABLE gap (
  snapshot INTEGER NOT NULL REFERENCES snapshot(number) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  step TEXT NOT NULL,
  types TEXT NOT NULL,
  parent_type TEXT,
  parent TEXT,
  code TEXT NOT NULL,
  cause TEXT NOT NULL,
  PRIMARY KEY (snapshot, number)
) WITHOUT ROWID;
-- The versions of an instance in key order, up to the snapshot in version_order_to. The order is updated when it is
-- needed.
CREATE TABLE version_order (
  instance INTEGER NOT NULL,
  type TEXT NOT NULL,
  key TEXT NOT NULL,
  object INTEGER NOT NULL,
  PRIMARY KEY (instance, type, key, object)
) WITHOUT ROWID;
CREATE TABLE version_order_to (
  instance INTEGER PRIMARY KEY,
  snapshot INTEGER NOT NULL
);
-- A provider's response, kept for conditional requests. account and request are digests. Responses do not belong to a
-- job, because they are used across jobs.
CREATE TABLE answer (
  number INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  request TEXT NOT NULL,
  used INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  UNIQUE (account, request)
);
-- headers: JSON, pairs of name and value; body: gzip
CREATE TABLE answer_content (
  answer INTEGER PRIMARY KEY REFERENCES answer(number) ON DELETE CASCADE,
  etag TEXT NOT NULL,
  status INTEGER NOT NULL,
  headers TEXT NOT NULL,
  body BLOB NOT NULL
);
