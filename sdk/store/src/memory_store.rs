//! A store of jobs in memory.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use integration_graph::history::SnapshotGap;
use integration_graph::run::{JobState, StepReport, Summary};
use integration_graph::{InstanceId, JobId, ObjectKey, ObjectType, StepId, Timestamp};
use serde_json::Value;

use crate::publication::{Graph, History};
use crate::working::Working;
use crate::{
    AmendOutcome, Amendment, Answer, CollectedEntity, CollectedPage, DeclaredEnds, DescribedAgain, Epoch, GraphReader,
    JobReader, JobRow, JobStore, JobWriter, Lease, MemoryGraph, NewJob, Publication, Receipt, Reconciled, ResumePoint,
    Resumed, RewindTo, ScanCursor, SnapshotId, StepBatch, StoreError, TypeCount,
};

/// A store whose jobs and graphs end with the process. Clones share them.
///
/// It is for tests, and it is the model of other stores: it keeps a full copy of each published graph.
///
/// ```
/// # futures::executor::block_on(async {
/// use integration_store::{JobStore, JobWriter, MemoryStore, NewJob};
///
/// let store = MemoryStore::default();
/// let job = NewJob { integration: "acme".into(), instance: Default::default(), options: Default::default() };
/// let writer = store.begin(job).await?;
/// assert_eq!(store.jobs().await?[0].id, writer.lease().job);
/// # Ok::<(), integration_store::StoreError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// The jobs in the order in which they began.
    jobs: Vec<Job>,
    instances: BTreeMap<(String, InstanceId), Instance>,
    /// The number of the newest run.
    runs: u64,
}

#[derive(Default)]
struct Instance {
    history: History,
    snapshots: Vec<Snapshot>,
}

struct Snapshot {
    id: SnapshotId,
    graph: Arc<Graph>,
    gaps: Vec<SnapshotGap>,
}

struct Job {
    row: JobRow,
    /// The number of the current run. A job that is resumed after its publication gets a new number.
    run: u64,
    epoch: Epoch,
    /// Alive while a writer holds the lease.
    holder: Weak<()>,
    working: Working,
}

impl Job {
    fn is_held(&self) -> bool {
        self.row.state == JobState::Running && self.holder.strong_count() > 0
    }

    fn instance(&self) -> (String, InstanceId) {
        (self.row.integration.clone(), self.row.instance.clone())
    }
}

impl State {
    fn next_run(&mut self) -> u64 {
        self.runs += 1;
        self.runs
    }

    fn job(&mut self, id: &JobId) -> Result<&mut Job, StoreError> {
        let found = self.jobs.iter_mut().find(|job| job.row.id == *id);
        found.ok_or_else(|| StoreError::Forgotten { job: id.clone() })
    }

    /// Fails if a job of the instance other than `own` is running.
    fn check_running(&self, instance: &(String, InstanceId), own: Option<&JobId>) -> Result<(), StoreError> {
        let others = self.jobs.iter().filter(|job| job.instance() == *instance && Some(&job.row.id) != own);
        match others.into_iter().find(|job| job.is_held()) {
            Some(running) => Err(StoreError::Running { job: running.row.id.clone() }),
            None => Ok(()),
        }
    }

    fn newest(&self, instance: &(String, InstanceId)) -> Option<&SnapshotId> {
        Some(&self.instances.get(instance)?.snapshots.last()?.id)
    }

    /// Gives the next lease of a job to a holder.
    fn resume(&mut self, id: &JobId, holder: &Arc<()>) -> Result<(Epoch, Resumption), StoreError> {
        let job = self.job(id)?;
        if job.is_held() {
            return Err(StoreError::Busy { job: id.clone() });
        }
        if job.row.is_settled() {
            return Err(StoreError::Complete { job: id.clone() });
        }
        let (instance, run) = (job.instance(), job.run);
        self.check_running(&instance, Some(id))?;
        let run = match self.newest(&instance) {
            Some(newest) if newest.number > run => {
                return Err(StoreError::Superseded { job: id.clone(), newer: newest.job.clone() });
            }
            Some(newest) if newest.number == run => self.next_run(),
            _ => run,
        };
        let job = self.job(id)?;
        (job.run, job.epoch, job.holder) = (run, job.epoch.next(), Arc::downgrade(holder));
        (job.row.state, job.row.ended, job.row.summary) = (JobState::Running, None, None);
        job.working.reopen();
        let reports = job.working.reports.values().cloned().collect();
        Ok((job.epoch, Resumption { reports, earlier_gaps: job.working.note_gaps() }))
    }

    /// Publishes the objects of a job.
    fn publish(&mut self, id: &JobId, summary: &mut Summary, publication: &Publication) -> Result<(), StoreError> {
        let job = self.job(id)?;
        let (name, number, mut collected) = (job.instance(), job.run, job.working.graph());
        let instance = self.instances.entry(name.clone()).or_default();
        let (now, before) = (Timestamp::now(), instance.snapshots.last().map(|newest| newest.id.job.clone()));
        let published = instance.history.publish(&mut collected, publication, now)?;
        let (integration, instance_id) = name.clone();
        let of_job = SnapshotId {
            integration,
            instance: instance_id,
            job: id.clone(),
            number,
            published: now,
            with_stale: true,
        };
        let graph = Arc::clone(&instance.history.newest);
        instance.snapshots.push(Snapshot { id: of_job, graph, gaps: publication.gaps.clone() });
        summary.published = Some(integration_graph::history::Published { previous: before, ..published });
        for older in self.jobs.iter_mut().filter(|job| job.instance() == name && job.row.id != *id) {
            // It cannot be resumed any more.
            older.working = Working::default();
        }
        let job = self.job(id)?;
        match publication.resumable {
            true => job.working.take_over(collected),
            false => job.working.discard_objects(),
        }
        Ok(())
    }
}

struct Resumption {
    reports: Vec<StepReport>,
    earlier_gaps: crate::EarlierGaps,
}

impl MemoryStore {
    /// Locks the state. Each change is complete when the lock is released, except after a panic, which ends the test.
    fn open(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the lease of a job without its holder noticing it, as a store on a server does after some time.
    pub fn expire(&self, job: &JobId) {
        if let Ok(job) = self.open().job(job) {
            job.holder = Weak::new();
        }
    }

    /// Drops the stale objects of an instance and returns their number.
    ///
    /// The newest job gets another snapshot without them, unless a newer one has not ended.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if a mapped relationship cannot be read.
    pub fn drop_stale(&self, integration: &str, instance: &InstanceId) -> Result<usize, StoreError> {
        let (mut state, name) = (self.open(), (integration.to_owned(), instance.clone()));
        let Some(newest) = state.newest(&name).cloned() else { return Ok(0) };
        let is_newer = |job: &Job| job.instance() == name && job.run > newest.number;
        if state.jobs.iter().any(|job| is_newer(job) && job.row.state == JobState::Running) {
            return Ok(0);
        }
        let number = state.runs + 1;
        let Some(of) = state.instances.get_mut(&name) else { return Ok(0) };
        let dropped = of.history.drop_stale()?;
        if dropped == 0 {
            return Ok(0);
        }
        let gaps = of.snapshots.last().map(|snapshot| snapshot.gaps.clone()).unwrap_or_default();
        let (graph, published) = (Arc::clone(&of.history.newest), Timestamp::now());
        of.snapshots.push(Snapshot { id: SnapshotId { number, published, ..newest.clone() }, graph, gaps });
        state.runs = number;
        state.job(&newest.job)?.run = number;
        Ok(dropped)
    }

    fn writer(&self, lease: Lease, holder: Arc<()>) -> Arc<dyn JobWriter> {
        Arc::new(MemoryJob { store: self.clone(), lease, _holder: holder })
    }
}

impl JobStore for MemoryStore {
    fn begin(&self, job: NewJob) -> Answer<'_, Arc<dyn JobWriter>> {
        Box::pin(async move {
            let NewJob { integration, instance, options } = job;
            let (id, holder) = (JobId::generate(), Arc::new(()));
            let mut state = self.open();
            state.check_running(&(integration.clone(), instance.clone()), None)?;
            let (state_of, started) = (JobState::Running, Timestamp::now());
            let row = JobRow {
                id: id.clone(),
                integration,
                instance,
                state: state_of,
                started,
                ended: None,
                options,
                summary: None,
            };
            let (run, epoch) = (state.next_run(), Epoch::FIRST);
            state.jobs.push(Job { row, run, epoch, holder: Arc::downgrade(&holder), working: Working::default() });
            Ok(self.writer(Lease { job: id, epoch }, holder))
        })
    }

    fn resume(&self, job: JobId) -> Answer<'_, Resumed> {
        Box::pin(async move {
            let holder = Arc::new(());
            let (epoch, Resumption { reports, earlier_gaps }) = self.open().resume(&job, &holder)?;
            Ok(Resumed { writer: self.writer(Lease { job, epoch }, holder), reports, earlier_gaps })
        })
    }

    fn jobs(&self) -> Answer<'_, Vec<JobRow>> {
        Box::pin(async move {
            let state = self.open();
            let row = |job: &Job| {
                let is_abandoned = job.row.state == JobState::Running && !job.is_held();
                let state = if is_abandoned { JobState::Interrupted } else { job.row.state };
                JobRow { state, ..job.row.clone() }
            };
            let mut jobs: Vec<&Job> = state.jobs.iter().collect();
            jobs.sort_by_key(|job| std::cmp::Reverse(job.run));
            Ok(jobs.into_iter().map(row).collect())
        })
    }

    fn published(&self, job: JobId, with_stale: bool) -> Answer<'_, Option<Arc<dyn GraphReader>>> {
        Box::pin(async move {
            let state = self.open();
            let snapshots = state.instances.values().flat_map(|instance| &instance.snapshots);
            let Some(newest) = snapshots.filter(|of| of.id.job == job).max_by_key(|of| of.id.number) else {
                return Ok(None);
            };
            let objects = newest.graph.values().map(|version| version.object.clone());
            let shown = objects.filter(|object| with_stale || !object.is_stale);
            let id = SnapshotId { with_stale, ..newest.id.clone() };
            let graph = MemoryGraph::new(id, shown).with_gaps(newest.gaps.iter().cloned());
            Ok(Some(Arc::new(graph) as Arc<dyn GraphReader>))
        })
    }
}

/// The writer of one job.
struct MemoryJob {
    store: MemoryStore,
    lease: Lease,
    _holder: Arc<()>,
}

impl MemoryJob {
    /// Changes the job under its lease.
    fn write<R>(&self, change: impl FnOnce(&mut State) -> Result<R, StoreError>) -> Result<R, StoreError> {
        let mut state = self.store.open();
        let job = state.job(&self.lease.job)?;
        if job.epoch != self.lease.epoch || job.row.state != JobState::Running {
            return Err(StoreError::Fenced { job: self.lease.job.clone() });
        }
        change(&mut state)
    }

    /// Changes the working data of the job under its lease.
    fn work<'a, R: Send + 'a>(
        &'a self,
        change: impl FnOnce(&mut Working) -> Result<R, StoreError> + Send + 'a,
    ) -> Answer<'a, R> {
        Box::pin(async move { self.write(|state| change(&mut state.job(&self.lease.job)?.working)) })
    }

    /// Reads the working data of the job.
    fn read<'a, R: Send + 'a>(&'a self, read: impl FnOnce(&Working) -> R + Send + 'a) -> Answer<'a, R> {
        Box::pin(async move { Ok(read(&self.store.open().job(&self.lease.job)?.working)) })
    }
}

impl JobWriter for MemoryJob {
    fn lease(&self) -> &Lease {
        &self.lease
    }

    fn append(&self, batch: Arc<StepBatch>) -> Answer<'_, Receipt> {
        Box::pin(async move {
            let report = self.work(move |working| working.append(&batch)).await?;
            Ok(Box::pin(async move { Ok(report) }) as Receipt)
        })
    }

    fn commit(&self) -> Answer<'_, ()> {
        self.work(|_| Ok(()))
    }

    fn amend(&self, amendments: Vec<Amendment>) -> Answer<'_, Vec<AmendOutcome>> {
        self.work(|working| Ok(amendments.into_iter().map(|amendment| working.amend(amendment)).collect()))
    }

    fn put_data(&self, name: String, value: Value) -> Answer<'_, ()> {
        self.work(move |working| {
            working.data.insert(name, value);
            Ok(())
        })
    }

    fn end_step(&self, report: StepReport) -> Answer<'_, ()> {
        self.work(move |working| {
            working.reports.insert(report.id.clone(), report);
            Ok(())
        })
    }

    fn rewind(&self, step: StepId, to: RewindTo) -> Answer<'_, ResumePoint> {
        self.work(move |working| Ok(working.rewind(&step, to)))
    }

    fn reconcile(&self, declared: DeclaredEnds) -> Answer<'_, Reconciled> {
        self.work(move |working| working.reconcile(&declared))
    }

    fn end(&self, summary: Summary, publication: Option<Publication>) -> Answer<'_, Summary> {
        Box::pin(async move {
            self.write(|state| {
                let mut summary = summary;
                if let Some(publication) = &publication {
                    state.publish(&self.lease.job, &mut summary, publication)?;
                }
                let row = &mut state.job(&self.lease.job)?.row;
                (row.state, row.ended) = (summary.state, Some(Timestamp::now()));
                row.summary = Some(Ok(summary.clone()));
                Ok(summary)
            })
        })
    }
}

impl JobReader for MemoryJob {
    fn scan(&self, object_type: ObjectType, from: ScanCursor, limit: usize) -> Answer<'_, CollectedPage> {
        self.read(move |working| working.scan(&object_type, &from, limit))
    }

    fn entities(&self, keys: Vec<ObjectKey>) -> Answer<'_, Vec<Option<CollectedEntity>>> {
        self.read(move |working| keys.iter().map(|key| working.entity(key)).collect())
    }

    fn known(&self, object_type: ObjectType, keys: Vec<ObjectKey>) -> Answer<'_, HashSet<ObjectKey>> {
        self.read(move |working| working.known(&object_type, keys))
    }

    fn counts(&self, step: Option<StepId>) -> Answer<'_, Vec<TypeCount>> {
        self.read(move |working| working.counts(step.as_ref()))
    }

    fn duplicates(&self, step: StepId) -> Answer<'_, Vec<DescribedAgain>> {
        self.read(move |working| working.duplicates(&step))
    }

    fn completed_parents(&self, step: Option<StepId>) -> Answer<'_, BTreeSet<ObjectKey>> {
        self.read(move |working| working.completed_parents(step.as_ref()))
    }

    fn reports(&self) -> Answer<'_, Vec<StepReport>> {
        self.read(|working| working.reports.values().cloned().collect())
    }

    fn data(&self, name: String) -> Answer<'_, Option<Value>> {
        self.read(move |working| working.data.get(&name).cloned())
    }
}
