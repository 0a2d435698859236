//! The result of a program run, and the summary of a collection.

use std::collections::BTreeSet;

use serde_json::Value;

/// The exit code and the output of a program.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    /// The value of `code` if a signal ended the program.
    pub const KILLED: i32 = -1;

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.all()))
    }

    pub fn summary(&self) -> Summary {
        Summary(self.json())
    }

    /// The exit code and both streams, for messages of failed assertions.
    pub fn all(&self) -> String {
        format!("exit code {}\n{}{}", self.code, self.out, self.err)
    }

    /// The exit code and both streams, without parts that vary between runs.
    pub fn steady(&self) -> String {
        let mut text = format!("exit code: {}\n", self.code);
        // Concurrent steps end in any order.
        let mut told: Vec<String> = steady(&self.err).lines().map(str::to_owned).collect();
        if told.first().is_some_and(|line| line.starts_with("job ")) {
            told[1..].sort();
        }
        for (name, stream) in [("stdout", steady(&self.out)), ("stderr", told.join("\n"))] {
            if !stream.is_empty() {
                text += &format!("---- {name}\n{}\n", stream.trim_end());
            }
        }
        text
    }
}

/// Replaces the parts of a text that vary between runs.
///
/// These are job ids, times, ports, and the remaining rate budget. Runs of spaces become two spaces, because their
/// widths depend on these parts.
pub fn steady(text: &str) -> String {
    let words = |line: &str| {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let fields = line.split("  ").map(str::trim).filter(|field| !field.is_empty());
        let fields: Vec<String> = fields.map(steady_words).collect();
        format!("{}{}", " ".repeat(indent.min(4)), fields.join("  ")).trim_end().to_owned()
    };
    text.lines().map(words).collect::<Vec<_>>().join("\n")
}

fn steady_words(field: &str) -> String {
    let mut kept: Vec<String> = Vec::new();
    for word in field.split(' ') {
        let bare = word.trim_matches(['`', '.', ',', ':', '?', '"', '(', ')']);
        let known = match bare {
            "ms" | "s" if kept.last().is_some_and(|number| is_number(number)) => {
                kept.pop();
                // In `1 min 05 s`, the minutes belong to the time as well.
                if kept.last().is_some_and(|unit| unit == "min") {
                    kept.truncate(kept.len() - 2);
                }
                Some("TIME")
            }
            "left" if kept.last().is_some_and(|number| is_number(number)) => {
                // The remaining budget depends on the order of responses and on the refill.
                let opens = kept.pop().is_some_and(|number| number.starts_with('('));
                kept.push(if opens { "(N" } else { "N" }.to_owned());
                None
            }
            _ if is_job(bare) => Some("JOB"),
            _ if is_date(bare) => Some("DATE"),
            _ if is_moment(bare) => Some("MOMENT"),
            _ => None,
        };
        let word = known.map_or_else(|| word.to_owned(), |known| word.replacen(bare, known, 1));
        kept.push(without_port(word));
    }
    kept.join(" ")
}

fn is_number(word: &str) -> bool {
    word.trim_start_matches('(').chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ','))
}

/// Whether a word is a job id or its unique prefix. Ids start with the time, hence with `01` until the year 2527.
fn is_job(word: &str) -> bool {
    word.len() >= 13 && word.starts_with("01") && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

fn is_date(word: &str) -> bool {
    word.len() == 10 && word.starts_with("20") && word.chars().all(|c| c.is_ascii_digit() || c == '-')
}

fn is_moment(word: &str) -> bool {
    word.ends_with('Z') && word.contains(':') && word.starts_with(|first: char| first.is_ascii_digit())
}

fn without_port(word: String) -> String {
    const HOST: &str = "127.0.0.1:";
    match word.split_once(HOST) {
        Some((before, after)) => {
            format!("{before}{HOST}PORT{}", after.trim_start_matches(|digit: char| digit.is_ascii_digit()))
        }
        None => word,
    }
}

/// Replaces the values of a JSON document that vary between runs, such as times.
pub fn steady_json(mut value: Value) -> Value {
    const VARYING: [&str; 10] = [
        "job",
        "id",
        "startTime",
        "endTime",
        "duration",
        // The size depends on the provider's compression.
        "answerBytes",
        "waitedMs",
        "waitedForBudgetMs",
        "rateRemaining",
        "timestamp",
    ];
    match &mut value {
        Value::Object(object) => {
            for (name, value) in object.iter_mut() {
                let is_varying =
                    VARYING.contains(&name.as_str()) && (name != "id" || value.as_str().is_some_and(is_job));
                *value = if is_varying { format!("[{name}]").into() } else { steady_json(value.take()) };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = steady_json(item.take())),
        _ => {}
    }
    value
}

/// The summary of a collection as JSON.
pub struct Summary(pub Value);

impl Summary {
    pub fn state(&self) -> &str {
        self.0["state"].as_str().expect("a state")
    }

    pub fn step(&self, id: &str) -> &Value {
        let steps = self.0["integrationStepResults"].as_array().expect("steps");
        steps.iter().find(|step| step["id"] == id).unwrap_or_else(|| panic!("no step {id}: {:#}", self.0))
    }

    pub fn status(&self, step: &str) -> &str {
        self.step(step)["status"].as_str().expect("a status")
    }

    /// The types of which data may be missing, without those of sources that are off by default.
    ///
    /// Such types are partial datasets as well, although nothing is missing.
    pub fn partial(&self) -> BTreeSet<&str> {
        fn names(list: &Value) -> impl Iterator<Item = &str> {
            list.as_array().expect("types").iter().map(|name| name.as_str().expect("a type"))
        }
        let steps = self.0["integrationStepResults"].as_array().expect("steps").iter();
        let off = steps.filter(|step| step["disabledReason"] == "user_config");
        let off: BTreeSet<&str> = off.flat_map(|step| names(&step["declaredTypes"])).collect();
        names(&self.0["metadata"]["partialDatasets"]["types"]).filter(|name| !off.contains(name)).collect()
    }

    /// The gaps of a step.
    pub fn gaps(&self, step: &str) -> Vec<Gap<'_>> {
        let gaps = self.step(step)["incomplete"].as_array().map(Vec::as_slice).unwrap_or_default();
        gaps.iter().map(Gap).collect()
    }

    /// The number of objects of a type that a step skipped for a reason.
    pub fn skipped(&self, step: &str, object_type: &str, reason: &str) -> u64 {
        self.step(step)["skipped"][object_type][reason].as_u64().unwrap_or(0)
    }

    /// The results of each step, without times and usage.
    pub fn results(&self) -> Vec<Value> {
        let told = [
            "id",
            "status",
            "encounteredTypeCounts",
            "partialTypes",
            "incomplete",
            "missed",
            "skipped",
            "skippedDetails",
            "findings",
        ];
        let steps = self.0["integrationStepResults"].as_array().expect("steps");
        steps.iter().map(|step| told.map(|name| step[name].clone()).to_vec().into()).collect()
    }

    /// The number of repeated requests.
    pub fn retries(&self) -> u64 {
        self.0["usage"]["retries"].as_u64().expect("a number")
    }
}

/// A gap of a step.
#[derive(Debug)]
pub struct Gap<'a>(&'a Value);

impl Gap<'_> {
    pub fn types(&self) -> BTreeSet<&str> {
        self.0["types"].as_array().expect("types").iter().map(|name| name.as_str().expect("a type")).collect()
    }

    /// The key of the parent, if the gap is limited to one.
    pub fn under(&self) -> Option<&str> {
        self.0["under"]["key"].as_str()
    }

    pub fn parent_type(&self) -> Option<&str> {
        self.0["under"]["type"].as_str()
    }

    pub fn code(&self) -> &str {
        self.0["code"].as_str().expect("a code")
    }

    pub fn cause(&self) -> &str {
        self.0["cause"].as_str().expect("a cause")
    }

    /// Whether resuming the job may close the gap; absent if it may.
    pub fn resumable(&self) -> Option<bool> {
        self.0["resumable"].as_bool()
    }

    /// The step that caused the gap, if it is another one.
    pub fn inherited_from(&self) -> Option<&str> {
        self.0["inheritedFrom"].as_str()
    }
}
