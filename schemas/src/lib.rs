//! The class schemas of the JupiterOne data model as text, one file a class under `classes/`.
//!
//! A class describes things in general (`User`, `Account`), independent of their source. Each schema is JSON Schema
//! draft-07, is named by a fragment (`"$id": "#User"`) and builds on its parent by one (`{"$ref": "#Entity"}`):
//!
//! ```text
//! GraphObject            key, type and class; names of properties; flatness
//! ├── Entity             name and displayName; optional properties of all classes
//! │   └── Account, User, Group, ...
//! │       └── UserGroup, ...
//! ├── Relationship       a verb between two keys
//! └── MappedRelationship a verb and the rule that finds its other end
//! ```
//!
//! This crate owns the texts. It never parses, resolves, or applies them: a loader gives them identifiers
//! that a validator accepts, and may replace them with other sets of class schemas.
//!
//! ```
//! let (name, text) = integration_schemas::CLASSES[0];
//! assert_eq!(name, "AccessKey");
//! assert!(text.contains(r##""$id": "#AccessKey""##));
//! ```

#![deny(missing_docs)]

macro_rules! classes {
    ($($name:ident)*) => {
        /// Every class, sorted by name: the name, and the text of its schema.
        pub const CLASSES: &[(&str, &str)] =
            &[$((stringify!($name), include_str!(concat!("../classes/", stringify!($name), ".json")))),*];
    };
}

classes! {
    AccessKey AccessPolicy AccessRole Account Alert Application Certificate Cluster CodeRepo Control DataStore
    Database Deployment Device Domain Entity Finding Function Gateway GraphObject Group Host Issue Key
    MappedRelationship Network Organization Person Policy Project Record Relationship Repository Resource Secret
    Service Site Team User UserGroup Vendor Vulnerability Workflow
}
