use super::*;
use crate::{JobReader, JobWriter};
use integration_graph::InstanceId;

struct Bench {
    _directory: tempfile::TempDir,
    store: Store,
}

/// The responses of one account.
struct Account {
    name: &'static str,
    responses: SqliteResponses,
}

impl Account {
    async fn get(&self, request: &str) -> Option<StoredResponse> {
        self.responses.get(self.name, request).await
    }

    async fn put(&self, request: &str, response: StoredResponse) {
        self.responses.put(self.name, request, response).await;
    }
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(directory.path()).expect("a store");
        Self { _directory: directory, store }
    }

    fn of(&self, account: &'static str) -> Account {
        Account { name: account, responses: SqliteResponses::of(self.store.clone()) }
    }

    /// Waits until all queued work is written.
    async fn settle(&self) {
        self.sql("").await;
    }

    async fn sql(&self, sql: &str) {
        let sql = sql.to_owned();
        self.store.write(move |connection| connection.execute_batch(&sql)).await.expect("the store works");
    }

    async fn number(&self, sql: &str) -> i64 {
        let sql = sql.to_owned();
        self.store.read(move |connection| connection.query_row(&sql, [], |row| row.get(0))).await.expect("a number")
    }

    /// Returns the requests with an entry, and those with cached content.
    async fn kept(&self) -> (String, i64) {
        let sql = "SELECT coalesce(group_concat(request, ' ' ORDER BY request), ''), \
                   (SELECT count(*) FROM answer_content) FROM answer";
        let kept =
            self.store.read(move |connection| connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))));
        kept.await.expect("the store works")
    }

    /// Evicts entries under limits chosen by the test.
    async fn prune(&self, age: Duration, bytes: i64, now: i64) {
        let limits = Limits { age, bytes };
        self.store.write(move |connection| prune(connection, &limits, now)).await.expect("the store works");
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn answer(body: &str) -> StoredResponse {
    let headers = vec![("next-range".to_owned(), "id ]ü..".to_owned()), ("etag".to_owned(), "\"1\"".to_owned())];
    StoredResponse { etag: "\"1\"".to_owned(), status: 206, headers, body: body.as_bytes().to_vec() }
}

#[tokio::test]
async fn what_is_kept_is_found_again_by_the_same_account_alone() {
    let bench = Bench::new();
    let ours = bench.of("ours");
    ours.put("apps", answer("[1]")).await;
    bench.settle().await;
    assert_eq!(ours.get("apps").await, Some(answer("[1]")));
    assert_eq!(bench.of("ours").get("apps").await, Some(answer("[1]")), "as in the next job");
    assert_eq!(ours.get("teams").await, None);
    assert_eq!(bench.of("theirs").get("apps").await, None);
}

#[tokio::test]
async fn a_new_answer_stands_in_the_place_of_the_old_one() {
    let bench = Bench::new();
    let answers = bench.of("ours");
    answers.put("apps", answer("[1]")).await;
    answers.put("apps", StoredResponse { etag: "\"2\"".into(), ..answer("[1, 2]") }).await;
    bench.settle().await;
    let found = answers.get("apps").await.expect("an answer");
    assert_eq!((found.etag.as_str(), found.body.as_slice()), ("\"2\"", b"[1, 2]".as_slice()));
    assert_eq!(bench.kept().await, ("apps".to_owned(), 1));
}

#[tokio::test]
async fn a_body_takes_less_room_than_it_is_long_and_a_huge_one_is_not_kept() {
    let bench = Bench::new();
    let answers = bench.of("ours");
    let page = format!("[{}]", vec![r#"{"id": "01234567", "name": "kestrel"}"#; 1_000].join(","));
    answers.put("apps", answer(&page)).await;
    answers.put("huge", answer(&" ".repeat(LARGEST + 1))).await;
    bench.settle().await;
    assert_eq!(answers.get("apps").await, Some(answer(&page)));
    assert_eq!(bench.kept().await, ("apps".to_owned(), 1));
    let bytes = bench.number("SELECT bytes FROM answer").await;
    let stored = bench.number("SELECT length(body) FROM answer_content").await;
    assert!(stored < bytes && bytes * 10 < i64::try_from(page.len()).unwrap(), "{stored} {bytes}");
}

#[tokio::test]
async fn a_damaged_answer_is_not_there_until_it_is_kept_anew() {
    for damage in [
        "UPDATE answer_content SET body = x'00'",
        "UPDATE answer_content SET body = substr(body, 1, length(body) - 1)",
        "UPDATE answer_content SET body = substr(body, 1, 12) || x'ff' || substr(body, 14)",
        "UPDATE answer_content SET body = 'text'",
        "UPDATE answer_content SET headers = '{'",
        "UPDATE answer_content SET status = 'good'",
        "UPDATE answer_content SET status = -1",
        "UPDATE answer_content SET etag = x'00'",
        "DELETE FROM answer_content",
    ] {
        let bench = Bench::new();
        let answers = bench.of("ours");
        answers.put("apps", answer("[1, 2, 3]")).await;
        bench.sql(damage).await;
        assert_eq!(answers.get("apps").await, None, "{damage}");
        answers.put("apps", answer("[4]")).await;
        bench.settle().await;
        assert_eq!(answers.get("apps").await, Some(answer("[4]")), "{damage}");
    }
}

#[tokio::test]
async fn a_store_that_cannot_keep_answers_takes_all_the_rest() {
    let bench = Bench::new();
    let answers = bench.of("ours");
    let job = bench.store.begin_job("test", &InstanceId::default(), &serde_json::Value::Null).await.expect("a job");
    bench.sql("DROP TABLE answer_content; DROP TABLE answer").await;
    answers.put("apps", answer("[1]")).await;
    assert_eq!(answers.get("apps").await, None);
    answers.responses.used.lock().unwrap().insert(1);
    answers.responses.note_use().await;
    bench.store.prune_answers().await;
    job.put_data("x".into(), 1.into()).await.expect("the store works");
    assert_eq!(job.data("x".into()).await.expect("the store works"), Some(1.into()));
}

#[tokio::test]
async fn what_has_not_been_used_for_long_is_forgotten() {
    let bench = Bench::new();
    let answers = bench.of("ours");
    for name in ["used", "unused"] {
        answers.put(name, answer("[1]")).await;
    }
    bench.sql("UPDATE answer SET used = 0").await;
    assert!(answers.get("used").await.is_some());
    answers.responses.note_use().await;
    bench.settle().await;
    bench.prune(DAY, i64::MAX, now()).await;
    assert_eq!(bench.kept().await, ("used".to_owned(), 1));
    bench.prune(DAY, i64::MAX, now() + 2 * 86_400_000).await;
    assert_eq!(bench.kept().await, (String::new(), 0));
}

#[tokio::test]
async fn where_there_is_too_much_the_least_recently_used_goes_first_whosever_it_is() {
    let bench = Bench::new();
    for (at, (account, name)) in [("ours", "a"), ("theirs", "b"), ("ours", "c")].into_iter().enumerate() {
        bench.of(account).put(name, answer("[1]")).await;
        bench.sql(&format!("UPDATE answer SET used = {at}, bytes = 10 WHERE request = '{name}'")).await;
    }
    bench.prune(DAY, 30, 0).await;
    assert_eq!(bench.kept().await, ("a b c".to_owned(), 3));
    bench.sql("UPDATE answer SET used = 3 WHERE request = 'a'").await;
    bench.prune(DAY, 29, 0).await;
    assert_eq!(bench.kept().await, ("a c".to_owned(), 2));
    bench.prune(DAY, 10, 0).await;
    assert_eq!(bench.kept().await, ("a".to_owned(), 1));
}

#[tokio::test]
async fn a_fresh_answer_survives_the_limits_of_every_day() {
    let bench = Bench::new();
    bench.of("ours").put("apps", answer("[1]")).await;
    bench.store.prune_answers().await;
    bench.settle().await;
    assert_eq!(bench.kept().await, ("apps".to_owned(), 1));
}
