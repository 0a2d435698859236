CREATE TABLE job (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  integration TEXT NOT NULL,
  instance TEXT NOT NULL,
  state TEXT NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER,
  -- What it was asked to do, so that it can go on as it began.
  options TEXT NOT NULL,
  summary TEXT
);
CREATE TABLE step_run (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE,
  step TEXT NOT NULL,
  status TEXT NOT NULL,
  ended INTEGER NOT NULL,
  result TEXT NOT NULL,
  PRIMARY KEY (job, step)
) WITHOUT ROWID;
-- A part of a step that is done: what was collected under one parent. path: its place among the parts of the step; outer: the
-- number of the part that contains it. Its books are what it left out and found.
CREATE TABLE part (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE,
  step TEXT NOT NULL,
  number INTEGER NOT NULL,
  parent TEXT NOT NULL,
  path TEXT NOT NULL,
  outer INTEGER,
  books TEXT NOT NULL,
  PRIMARY KEY (job, step, number)
) WITHOUT ROWID;
-- kind: 0 entity, 1 relationship, 2 mapped relationship
-- part: of its step; 0 under no parent, -1 met in several parts or steps
-- No reference to its job: looking that up for each object would cost as much as a tenth of the object.
CREATE TABLE object (
  job INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  type TEXT NOT NULL,
  key TEXT NOT NULL,
  class TEXT NOT NULL,
  step TEXT NOT NULL,
  part INTEGER NOT NULL,
  from_key TEXT,
  to_key TEXT,
  json TEXT NOT NULL
);
-- In the order of adding: each new object goes to the end of its type.
CREATE INDEX object_by_type ON object (job, type);
-- The objects by their keys, in sorted runs; runs of one level become one of the next.
CREATE TABLE key_run (
  number INTEGER PRIMARY KEY,
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE,
  level INTEGER NOT NULL
);
CREATE INDEX key_run_by_job ON key_run (job, level);
-- A piece of a run. entries: for each object 8 bytes of a hash, the first of the key's SHA-256, and 8 of its rowid; hashes as signed
-- numbers in their order from first on, both little-endian.
CREATE TABLE key_block (
  run INTEGER NOT NULL REFERENCES key_run(number) ON DELETE CASCADE,
  first INTEGER NOT NULL,
  entries BLOB NOT NULL
);
CREATE INDEX key_block_by_first ON key_block (run, first);
-- Where the runs lack some objects: the first whose key may be missing.
CREATE TABLE recent_key (
  job INTEGER PRIMARY KEY REFERENCES job(number) ON DELETE CASCADE,
  since INTEGER NOT NULL
);
-- The keys of a type in their order, up to some object. Brought up to date when somebody reads the type in that order, for
-- sorting many at once costs far less than finding the place of each.
CREATE TABLE sorted (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE,
  type TEXT NOT NULL,
  key TEXT NOT NULL,
  object INTEGER NOT NULL,
  PRIMARY KEY (job, type, key)
) WITHOUT ROWID;
CREATE TABLE sorted_to (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE,
  type TEXT NOT NULL,
  object INTEGER NOT NULL,
  PRIMARY KEY (job, type)
) WITHOUT ROWID;
-- Who else described an entity that merged across steps; without a row here the object's own step is the only one.
CREATE TABLE contribution (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE,
  key TEXT NOT NULL,
  step TEXT NOT NULL,
  PRIMARY KEY (job, key, step)
) WITHOUT ROWID;
-- Objects that a step described in several ways, of which one stayed.
CREATE TABLE duplicate (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE,
  step TEXT NOT NULL,
  type TEXT NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (job, step, type, key)
) WITHOUT ROWID;
-- The parts that described an entity, if there are several. stays: 1 if the description is the stored one.
CREATE TABLE description (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE,
  key TEXT NOT NULL,
  step TEXT NOT NULL,
  part INTEGER NOT NULL,
  stays INTEGER NOT NULL,
  PRIMARY KEY (job, key, step, part)
) WITHOUT ROWID;
-- Relationships that were taken out because a newer description of one of their ends has others.
CREATE TABLE superseded (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE,
  step TEXT NOT NULL,
  type TEXT NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (job, step, type, key)
) WITHOUT ROWID;
-- Keys of entities that were refused or taken out: relationships to those that are not there in the end are taken out as well.
CREATE TABLE doubtful_end (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE,
  key TEXT NOT NULL,
  PRIMARY KEY (job, key)
) WITHOUT ROWID;
CREATE TABLE quarantine (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE,
  kind INTEGER NOT NULL,
  type TEXT NOT NULL,
  key TEXT NOT NULL,
  step TEXT NOT NULL,
  part INTEGER NOT NULL,
  json TEXT NOT NULL,
  findings TEXT NOT NULL
);
CREATE TABLE job_data (
  job INTEGER NOT NULL REFERENCES job(number) ON DELETE CASCADE,
  name TEXT NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (job, name)
) WITHOUT ROWID;
-- An answer of a provider, kept for conditional requests: whose (account) and to what (request), both as digests, and when it
-- was last of use. Not a job's: jobs come and go.
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
