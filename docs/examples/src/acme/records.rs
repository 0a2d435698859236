//! A step for a type whose name is only known at run time.

use integration_sdk::graph::{
    Class, Entity, EntityDeclaration, InvalidName, ObjectKey, ObjectType, OnDuplicateKey, StepId,
};
use integration_sdk::prelude::*;
use integration_sdk::step::{Parameter, Step, StepContext, StepError};

use super::Acme;

/// Creates a step that collects records of a custom kind.
///
/// # Errors
/// Returns an error if the kind cannot be part of a type's name.
pub fn fetch_records(kind: &str) -> Result<Step, InvalidName> {
    let (id, object_type) = (StepId::new(format!("fetch-{kind}"))?, ObjectType::new(format!("acme_{kind}"))?);
    let declaration = EntityDeclaration::new(kind, object_type.clone(), Class::literal("Record"));
    let of = kind.to_owned();
    let work = move |context| records_of(of.clone(), object_type.clone(), context);
    Ok(Step::new(id, format!("Fetch {kind}"), work).entity(declaration).scope("read"))
}

async fn records_of(kind: String, object_type: ObjectType, context: StepContext) -> StepResult {
    let api = Client::<Acme>::bind(&context).await?;
    let mut records = api.records(&kind);
    while let Some(record) = records.try_next().await? {
        let key = ObjectKey::new(&record.id).map_err(|error| StepError::Other(error.to_string()))?;
        let entity = Entity::new(key, object_type.clone(), Class::literal("Record")).with("name", record.name.as_str());
        context.add_entity(entity, OnDuplicateKey::Reject).await?;
    }
    Ok(())
}
