//! Followers, and resumed jobs.

use crate::store::{CollectedObject, ScanCursor};

use super::*;

#[tokio::test]
async fn a_follower_that_ends_before_the_step_that_it_follows_inherits_its_gap() {
    let bench = Bench::new();
    let may_fail = Arc::new(Notify::new());
    let wait = Arc::clone(&may_fail);
    let teams = Step::new(id("teams"), "Teams", move |_| {
        let wait = Arc::clone(&wait);
        async move {
            wait.notified().await;
            Err(StepError::Other("it broke".into()))
        }
    });
    let apps = Step::new(id("apps"), "Apps", |_| async { Ok(()) }).follows(name("acme_team"));
    let integration = of([teams.entity(declared("acme_team")), apps.entity(declared("acme_app"))]);
    let handle = Job::new(&integration, &bench.store).start(&Values::default()).await.expect("a job that starts");
    let mut events = handle.events();
    while let Some(Delivery::Event(envelope)) = events.next().await {
        if matches!(envelope.event, Event::StepFinished { .. }) {
            may_fail.notify_one();
        }
    }
    let summary = handle.join().await.expect("a summary");
    assert_eq!(statuses(&summary), [("teams", "failure"), ("apps", "partial")]);
    let row = bench.store.job(Some(summary.job.as_str())).await.expect("a store").expect("the job");
    for row in bench.store.open_job(&row).steps().await.expect("a store") {
        assert_eq!(row.into_report().expect("a report").gaps.len(), 1, "the store has the same reports");
    }
}

/// A step that follows a type and copies each of its entities in a partition.
fn following(step: &str, from: &'static str, to: &'static str, copied: Arc<Notify>) -> Step {
    let work = move |context: StepContext| {
        let copied = Arc::clone(&copied);
        async move { follow(&context, from, to, &copied).await }
    };
    Step::new(id(step), step, work).follows(name(from)).entity(declared(to))
}

async fn follow(context: &StepContext, from: &str, to: &str, copied: &Notify) -> StepResult {
    let watermark = context.watermark(&name(from));
    let mut next = ScanCursor::FIRST_APPENDED;
    loop {
        let cursor = watermark.cursor();
        watermark.flush().await?;
        context.commit().await?;
        let page = context.scan(&name(from), next, 100).await?;
        next = page.next.expect("more may follow");
        for CollectedObject { key, .. } in &page.objects {
            let parent = crate::step::Parent { object_type: name(from), key: key.clone() };
            let add = context.add_entity(thing(to, &format!("{to}:{key}")), OnDuplicateKey::Reject);
            context.partition(parent, add).await?;
            copied.notify_one();
        }
        if page.objects.is_empty() && cursor.ended {
            return Ok(());
        }
        cursor.changed().await;
    }
}

#[tokio::test]
async fn a_follower_works_on_the_first_item_before_the_last_is_there() {
    let bench = Bench::new();
    // The producer adds its second entity only after the follower has processed the first. Without streaming, it would
    // wait forever.
    let copied = Arc::new(Notify::new());
    let heard = Arc::clone(&copied);
    let producer = Step::new(id("teams"), "Teams", move |context: StepContext| {
        let heard = Arc::clone(&heard);
        async move {
            context.add_entity(thing("acme_team", "team:000001"), OnDuplicateKey::Reject).await?;
            heard.notified().await;
            context.add_entity(thing("acme_team", "team:000002"), OnDuplicateKey::Reject).await
        }
    });
    let copies = following("copies", "acme_team", "acme_copy", copied);
    let integration = of([copies, producer.entity(declared("acme_team"))]);
    let collected = tokio::time::timeout(Duration::from_secs(60), bench.collect(&integration)).await;
    let (summary, job) = collected.expect("the follower starts before the producer ends");
    assert_eq!(statuses(&summary), [("teams", "success"), ("copies", "success")]);
    assert_eq!(graph(&job).await.len(), 4);
}

#[tokio::test]
async fn a_resumed_job_skips_parts_that_are_done_and_ends_as_if_nothing_had_happened() {
    let keys = &["team:000001", "team:000002", "team:000003", "team:000004"];
    let undisturbed = {
        let bench = Bench::new();
        let steps = [adding("teams", "acme_team", keys), following("copies", "acme_team", "acme_copy", Arc::default())];
        let (_, job) = bench.collect(&of(steps)).await;
        graph(&job).await
    };
    let bench = Bench::new();
    let cancel = CancellationToken::new();
    let (done, token) = (Arc::new(AtomicUsize::new(0)), cancel.clone());
    let copies = |stop_at: usize| {
        let (done, token) = (Arc::clone(&done), token.clone());
        let work = move |context: StepContext| {
            let (done, token) = (Arc::clone(&done), token.clone());
            async move {
                for object in context.page(&name("acme_team"), None, 100).await? {
                    let text = object["_key"].as_str().unwrap_or_default().to_owned();
                    let parent = crate::step::Parent { object_type: name("acme_team"), key: key(&text) };
                    let (context, done, token) = (&context, &done, &token);
                    let part = async move {
                        context
                            .add_entity(thing("acme_copy", &format!("acme_copy:{text}")), OnDuplicateKey::Reject)
                            .await?;
                        if done.fetch_add(1, Ordering::SeqCst) + 1 == stop_at {
                            token.cancel();
                            std::future::pending::<()>().await;
                        }
                        context.skip(&name("acme_copy"), "counted once a part");
                        Ok(())
                    };
                    context.partition(parent, part).await?;
                }
                Ok(())
            }
        };
        let copies = Step::new(id("copies"), "Copies", work).reads(name("acme_team")).entity(declared("acme_copy"));
        of([adding("teams", "acme_team", keys), copies])
    };
    let first = Job::new(&copies(3), &bench.store).run(&Values::default(), cancel.clone()).await.expect("a summary");
    assert_eq!(
        (first.state, statuses(&first)),
        (JobState::Cancelled, vec![("teams", "success"), ("copies", "partial")])
    );
    let row = bench.store.job(None).await.expect("a store").expect("the job");
    let integration = copies(usize::MAX);
    let (second, job) = bench.run(Job::new(&integration, &bench.store).resume(&row)).await;
    assert_eq!((second.job.clone(), second.state), (first.job, JobState::Complete));
    assert_eq!(graph(&job).await, undisturbed);
    assert_eq!(done.load(Ordering::SeqCst), 5, "two parts complete, the third started twice, the fourth once");
    let step = &second.integration_step_results[1];
    assert_eq!((step.objects(), step.skipped[&name("acme_copy")]["counted once a part"]), (4, 4));
    let again = Job::new(&integration, &bench.store).resume(&bench.store.jobs().await.expect("a store")[0]);
    let error = again.run(&Values::default(), CancellationToken::new()).await.expect_err("complete").to_string();
    assert!(error.contains("nothing to resume"), "{error}");
}

/// A step that publishes job data and adds no objects.
fn publishing(fails: bool) -> Step {
    let work = move |context: StepContext| async move {
        if fails {
            return Err(StepError::Other("it broke".into()));
        }
        context.publish("owners", &serde_json::json!(["owner:0001"])).await
    };
    Step::new(id("owners"), "Owners", work).publishes("owners")
}

/// A step that adds the objects listed in the job data of another one.
fn using() -> Step {
    let work = |context: StepContext| async move {
        for owner in context.data("owners").await?.iter().flat_map(|data| data.as_array().cloned().unwrap_or_default())
        {
            let text = owner.as_str().unwrap_or_default();
            context.add_entity(thing("acme_owner", text), OnDuplicateKey::Reject).await?;
        }
        Ok(())
    };
    Step::new(id("users"), "Users", work).uses("owners").entity(declared("acme_owner"))
}

#[tokio::test]
async fn what_rests_on_the_data_of_a_step_that_failed_is_incomplete_until_it_is_resumed() {
    let bench = Bench::new();
    let (first, _) = bench.collect(&of([using(), publishing(true)])).await;
    assert_eq!(statuses(&first), [("owners", "failure"), ("users", "partial")]);
    assert_eq!(first.state, JobState::Partial);
    assert!(first.metadata.partial_datasets.types.contains("acme_owner"));
    let row = bench.store.job(None).await.expect("a store").expect("the job");
    let (second, _) = bench.run(Job::new(&of([using(), publishing(false)]), &bench.store).resume(&row)).await;
    assert_eq!((second.state, second.entities), (JobState::Complete, 1));
}

#[tokio::test]
async fn a_job_with_a_failed_step_is_not_complete_even_where_that_adds_nothing() {
    let bench = Bench::new();
    let (summary, _) = bench.collect(&of([publishing(true)])).await;
    assert_eq!((summary.state, statuses(&summary)), (JobState::Partial, vec![("owners", "failure")]));
    assert!(summary.metadata.partial_datasets.types.is_empty());
}

/// Users whose nicknames another step adds, and a step that copies the users it reads.
fn nicknames(fails: bool) -> Integration {
    let amend = move |context: StepContext| async move {
        if fails {
            return Err(StepError::Other("it broke".into()));
        }
        let nickname = [("nickname".to_owned(), "Ace".into())].into_iter().collect();
        context.amend(&key("user:000001"), nickname).await.map(drop)
    };
    let copy = |context: StepContext| async move {
        for user in context.page(&name("acme_user"), None, 100).await? {
            let nickname = user.get("nickname").and_then(|text| text.as_str()).unwrap_or("none").to_owned();
            let copy = thing("acme_copy", "copy:000001").with("nickname", nickname);
            context.add_entity(copy, OnDuplicateKey::Reject).await?;
        }
        Ok(())
    };
    let copy = Step::new(id("copy"), "Copy", copy).reads(name("acme_user")).entity(declared("acme_copy"));
    let amend = Step::new(id("nicknames"), "Nicknames", amend).amends(name("acme_user"));
    of([adding("users", "acme_user", &["user:000001"]), amend, copy])
}

#[tokio::test]
async fn many_are_amended_at_once_and_those_that_are_not_there_are_not_counted() {
    let amend = |context: StepContext| async move {
        let nickname = |of: &str| (key(of), [("nickname".to_owned(), "Ace".into())].into_iter().collect());
        let amended = context.amend_all(["user:000001", "user:000003", "user:000002"].map(nickname).into()).await?;
        assert_eq!(amended, 2);
        Ok(())
    };
    let amend = Step::new(id("nicknames"), "Nicknames", amend).amends(name("acme_user"));
    let bench = Bench::new();
    let (summary, job) =
        bench.collect(&of([adding("users", "acme_user", &["user:000001", "user:000002"]), amend])).await;
    assert_eq!(statuses(&summary), [("users", "success"), ("nicknames", "success")]);
    assert_eq!(graph(&job).await.iter().filter(|object| object.contains(r#""nickname":"Ace""#)).count(), 2);
}

#[tokio::test]
async fn what_was_read_before_it_was_amended_is_read_again_when_the_job_is_resumed() {
    let bench = Bench::new();
    let (_, job) = bench.collect(&nicknames(false)).await;
    let undisturbed = graph(&job).await;
    let bench = Bench::new();
    let (first, _) = bench.collect(&nicknames(true)).await;
    assert_eq!(statuses(&first), [("users", "success"), ("nicknames", "failure"), ("copy", "success")]);
    let row = bench.store.job(None).await.expect("a store").expect("the job");
    let (second, job) = bench.run(Job::new(&nicknames(false), &bench.store).resume(&row)).await;
    assert_eq!((second.state, graph(&job).await), (JobState::Complete, undisturbed));
}

/// A step that links all users in one partition, which is always complete.
fn linking() -> Step {
    let work = |context: StepContext| async move {
        let parent = crate::step::Parent { object_type: name("acme_team"), key: key("team:000001") };
        let links = async {
            for user in context.page(&name("acme_user"), None, 100).await? {
                let link = format!("acme_link:{}", user["_key"].as_str().unwrap_or_default());
                context.add_entity(thing("acme_link", &link), OnDuplicateKey::Reject).await?;
            }
            Ok(())
        };
        context.partition(parent, links).await
    };
    Step::new(id("links"), "Links", work).reads(name("acme_user")).entity(declared("acme_link"))
}

#[tokio::test]
async fn a_part_that_was_done_on_incomplete_grounds_is_done_again() {
    let bench = Bench::new();
    let found = |users: &'static [&'static str]| {
        let work = move |context: StepContext| async move {
            for user in users {
                context.add_entity(thing("acme_user", user), OnDuplicateKey::Reject).await?;
            }
            if users.len() == 1 {
                context.missing(&name("acme_user"), &StepError::Other("the second page did not come".into()));
            }
            Ok(())
        };
        of([linking(), Step::new(id("users"), "Users", work).entity(declared("acme_user"))])
    };
    let (first, _) = bench.collect(&found(&["user:000001"])).await;
    assert_eq!((first.state, statuses(&first)), (JobState::Partial, vec![("users", "partial"), ("links", "partial")]));
    let row = bench.store.job(None).await.expect("a store").expect("the job");
    let whole = found(&["user:000001", "user:000002"]);
    let (second, _) = bench.run(Job::new(&whole, &bench.store).resume(&row)).await;
    assert_eq!((second.state, second.entities), (JobState::Complete, 4), "{second:?}");
}
