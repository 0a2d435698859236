//! A generated graph of an organisation in a store: teams, users, applications, add-ons, and their relationships.
#![deny(missing_docs)]

use std::path::Path;

use integration_sdk::config::Values;
use integration_sdk::graph::{
    Class, Entity, EntityDeclaration, ObjectKey, ObjectType, OnDuplicateKey, RawData, Relationship, RelationshipClass,
    RelationshipDeclaration, StepId,
};
use integration_sdk::schema::Validation;
use integration_sdk::step::{Step, StepContext};
use integration_sdk::store::{Snapshot, Store};
use integration_sdk::{Integration, Job};
use serde_json::json;

/// The types, each with its share of the entities in thousandths.
const TYPES: [(&str, &str, u64); 4] = [
    ("bench_team", "Team", 5),
    ("bench_user", "User", 300),
    ("bench_app", "Application", 500),
    ("bench_addon", "Service", 195),
];
/// The ends of the relationships, each with its share of them in thousandths.
const LINKS: [(usize, usize, u64); 4] = [(0, 1, 150), (0, 2, 250), (2, 3, 250), (1, 2, 350)];
const REGIONS: [&str; 5] = ["us", "eu", "tokyo", "sydney", "virginia"];

fn object_type(of: usize) -> ObjectType {
    ObjectType::literal(TYPES[of].0)
}

/// Scatters numbers, so that keys are unordered, as in practice.
fn scattered(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
}

/// Returns the key of an entity, by the position of its type (teams, users, applications, add-ons) and its number.
pub fn key(of: usize, number: u64) -> ObjectKey {
    let random = scattered(number * 4 + of as u64);
    ObjectKey::new(format!("{:08x}-{:04x}-4000-8000-{number:012x}", random >> 32, random & 0xffff)).expect("a key")
}

fn entity(of: usize, number: u64) -> Entity {
    let name = format!("{}-{number}", TYPES[of].0);
    let random = scattered(number);
    let mut entity = Entity::new(key(of, number), object_type(of), Class::literal(TYPES[of].1))
        .with("name", name.as_str())
        .with("email", format!("{name}@example.com"))
        .with("region", REGIONS[(random % 5) as usize])
        .with("stack", format!("stack-{}", random % 20))
        .with("webLink", format!("https://dashboard.example.com/{name}"))
        .with("archived", random.is_multiple_of(50))
        .with("sizeInBytes", (random % 1_000_000).cast_signed())
        .with("createdOn", 1_700_000_000_000 + (random % 10_000_000_000).cast_signed())
        .with("ownerId", key(1, random % 1_000).as_str());
    let raw = json!({"id": entity.key.as_str(), "name": name, "region": {"name": "us"}, "numbers": [1, 2, 3]});
    entity.raw_data.push(RawData { name: "default".into(), raw_data: raw.into() });
    entity
}

/// Collects a graph with this many entities and twice as many relationships, and returns its snapshot.
///
/// # Panics
/// If the store fails.
pub async fn collect(entities: u64, directory: &Path) -> Snapshot {
    let count = move |of: usize| (entities * TYPES[of].2 / 1000).max(1);
    let work = move |context: StepContext| async move {
        for of in 0..TYPES.len() {
            for number in 0..count(of) {
                context.add_entity(entity(of, number), OnDuplicateKey::Reject).await?;
            }
        }
        for (from, to, share) in LINKS {
            for number in 0..2 * entities * share / 1000 {
                let random = scattered(number + 7 * share);
                // Most objects have one parent, so the number itself is the target first.
                let (start, end) = (key(from, random % count(from)), key(to, number % count(to)));
                context.add_relationship(relationship(from, to, start, end)).await?;
            }
        }
        Ok(())
    };
    let mut step = Step::new(StepId::literal("add"), "Add", work);
    for (name, class, _) in TYPES {
        step = step.entity(EntityDeclaration::new(name, ObjectType::literal(name), Class::literal(class)));
    }
    for (from, to, _) in LINKS {
        let declared = RelationshipDeclaration::new(object_type(from), RelationshipClass::HAS, object_type(to));
        step = step.relationship(declared);
    }
    let integration = Integration::without_provider::<()>("bench", "Bench").step(step);
    let store = Store::open(directory).expect("a store");
    let job = Job::new(&integration, &store).validation(Validation::Off);
    let summary = job.run(&Values::default(), Default::default()).await.expect("a job");
    println!("{} entities, {} relationships", summary.entities, summary.relationships);
    let row = store.job(None).await.expect("a store").expect("the job");
    store.snapshot_of(&row).await.expect("a store").expect("a snapshot")
}

fn relationship(from: usize, to: usize, start: ObjectKey, end: ObjectKey) -> Relationship {
    let class = RelationshipClass::HAS;
    let object_type = RelationshipDeclaration::new(object_type(from), class, object_type(to)).object_type;
    Relationship { class, object_type, from: start, to: end, properties: Default::default() }
}
