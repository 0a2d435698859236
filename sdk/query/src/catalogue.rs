//! Declared names: types, classes, and properties that a graph may contain although it has no such object yet.

use std::collections::{BTreeMap, BTreeSet};

/// The names that integrations declare.
///
/// A query may mention a declared name although no object of the graph has it: the result is empty, without a warning.
/// Declared types also show whether a gap concerns a class that a query selects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// The declared entities by type.
    pub entities: BTreeMap<String, DeclaredType>,
    /// The declared relationships by type.
    pub relationships: BTreeMap<String, DeclaredType>,
}

/// A declared type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeclaredType {
    /// Its classes. A relationship has one.
    pub classes: BTreeSet<String>,
    /// The names of its properties.
    pub properties: BTreeSet<String>,
    /// Of a relationship: the types of its source and of its target. It is empty if a target may have any type.
    pub ends: BTreeSet<(String, String)>,
    /// The integrations that declare the type.
    pub integrations: BTreeSet<String>,
}

impl Catalogue {
    /// Whether the catalogue declares an entity class.
    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.entities.values().any(|declared| declared.classes.contains(class))
    }

    /// Whether the catalogue declares a relationship class.
    pub(crate) fn has_verb(&self, verb: &str) -> bool {
        self.relationships.values().any(|declared| declared.classes.contains(verb))
    }
}

/// Entity classes of the JupiterOne data model, in alphabetical order.
///
/// A question pack for many integrations mentions classes that the own graph does not contain. Such a query has an empty
/// result; a name that is neither here nor in the graph is an error.
pub(crate) const CLASSES: &[&str] = &[
    "AccessKey",
    "AccessPolicy",
    "AccessRole",
    "Account",
    "Alert",
    "Application",
    "ApplicationEndpoint",
    "Assessment",
    "Attacker",
    "Backup",
    "Certificate",
    "Channel",
    "Cluster",
    "CodeCommit",
    "CodeDeploy",
    "CodeModule",
    "CodeRepo",
    "CodeReview",
    "Configuration",
    "Container",
    "Control",
    "ControlPolicy",
    "CryptoKey",
    "DataCollection",
    "DataObject",
    "DataStore",
    "Database",
    "Deployment",
    "Device",
    "Directory",
    "Disk",
    "Document",
    "Domain",
    "DomainRecord",
    "DomainZone",
    "Entity",
    "Everyone",
    "Finding",
    "Firewall",
    "Framework",
    "Function",
    "Gateway",
    "Group",
    "Host",
    "HostAgent",
    "Image",
    "Incident",
    "Internet",
    "IpAddress",
    "Issue",
    "Key",
    "Location",
    "Logs",
    "Model",
    "Module",
    "Network",
    "NetworkEndpoint",
    "NetworkInterface",
    "Organization",
    "PR",
    "PasswordPolicy",
    "Person",
    "Policy",
    "Problem",
    "Procedure",
    "Process",
    "Product",
    "Program",
    "Project",
    "Question",
    "Queue",
    "Record",
    "Repository",
    "Requirement",
    "Resource",
    "Review",
    "Risk",
    "Root",
    "Rule",
    "Ruleset",
    "Scanner",
    "Secret",
    "Section",
    "Service",
    "Site",
    "Standard",
    "Subscription",
    "Task",
    "Team",
    "ThreatIntel",
    "Training",
    "User",
    "UserGroup",
    "Vault",
    "Vendor",
    "Vulnerability",
    "Weakness",
    "Workflow",
    "Workload",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_sorted() {
        assert!(CLASSES.is_sorted());
    }
}
