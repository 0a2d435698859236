//! The bound query: every name is resolved to a slot, a property, a function, or a value.

use crate::syntax::{Arithmetic, Direction, Span};
use crate::value::{Relation, Test, Value};

/// A query without unresolved names.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    /// The objects that a path visits. The first is the head.
    pub slots: Vec<Slot>,
    /// The traversal.
    pub steps: Vec<Step>,
    /// The conditions after the traversal. All of them must hold.
    pub conditions: Vec<Formula>,
    /// The form of the result.
    pub output: Output,
    /// Whether equal rows are dropped.
    pub is_unique: bool,
    /// The sort keys, most significant first.
    pub order: Vec<SortKey>,
    /// The number of rows to skip.
    pub skip: u64,
    /// The maximum number of rows.
    pub limit: Option<u64>,
}

/// The number of a slot.
pub(crate) type SlotId = usize;

/// An object that a path visits.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    /// The alias, or the class or type that stands for it.
    pub name: Option<String>,
    /// The objects that fit.
    pub pattern: Pattern,
    /// Whether a path may lack it, because it belongs to an optional or negated part.
    pub is_optional: bool,
}

/// The objects that fit into a slot.
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    /// Entities.
    Node(NodePattern),
    /// Relationships.
    Edge(EdgePattern),
    /// The entity before or after an optional part: one of these slots.
    Either(Vec<SlotId>),
}

/// A selection of entities.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodePattern {
    /// The node segments with entities that can fit; whether all of their entities do.
    pub segments: Vec<(usize, bool)>,
    /// The classes and types; one must match. Empty: every entity.
    pub labels: Vec<Label>,
    /// The selector as written, for explanations.
    pub text: String,
    /// The condition on the properties.
    pub filter: Option<Formula>,
}

/// A class or a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Label {
    /// A value of `_class`.
    Class(String),
    /// A value of `_type`.
    Type(String),
}

/// A selection of relationships.
#[derive(Debug, Clone, Default)]
pub(crate) struct EdgePattern {
    /// The edge segments with relationships that can fit; whether all of their relationships do.
    pub segments: Vec<(usize, bool)>,
    /// The classes. Empty: every relationship.
    pub verbs: Vec<String>,
    /// The condition on the properties.
    pub filter: Option<Formula>,
}

/// A part of the traversal. Parts of optional parts follow one another in one list, so that their depth does not matter.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// From the current entity over a relationship to another entity, which becomes the current one.
    Hop(Hop),
    /// The current entity has no such neighbour.
    Without(Hop),
    /// The begin of an optional part.
    Enter {
        /// The position of the matching [`Step::Exit`].
        exit: usize,
        /// Whether nothing follows, so that a path without the part exists only where the part matches nothing.
        is_last: bool,
        /// The slots within the part.
        slots: std::ops::Range<SlotId>,
    },
    /// The end of an optional part.
    Exit {
        /// The slot that receives the current entity.
        slot: Option<SlotId>,
    },
}

/// The relationship and the entity of a hop.
#[derive(Debug, Clone)]
pub(crate) struct Hop {
    /// The direction, seen from the current entity.
    pub direction: Direction,
    /// The slot of the relationship.
    pub edge: SlotId,
    /// The slot of the entity at its other end.
    pub node: SlotId,
}

/// A property of the object in a slot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// The slot.
    pub slot: SlotId,
    /// The name of the property.
    pub property: String,
}

/// A condition in postfix order, so that its depth does not matter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Formula {
    /// The comparisons.
    pub leaves: Vec<Leaf>,
    /// The operations.
    pub program: Vec<Logic>,
}

/// An operation of a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Logic {
    /// Pushes the result of a comparison.
    Leaf(usize),
    /// Replaces that many results by their conjunction.
    And(usize),
    /// Replaces that many results by their disjunction.
    Or(usize),
}

/// A comparison.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    /// The comparison.
    pub kind: LeafKind,
    /// Its place in the text.
    pub span: Span,
}

/// The kinds of comparisons.
#[derive(Debug, Clone)]
pub(crate) enum LeafKind {
    /// A property against constants.
    Test(Place, Test),
    /// A property against a property.
    Compare {
        /// The left property.
        left: Place,
        /// The relation.
        relation: Relation,
        /// Whether the result is negated.
        is_negated: bool,
        /// The right property.
        right: Place,
    },
    /// Whether two slots contain the same object.
    Same {
        /// The left slot.
        left: SlotId,
        /// The right slot.
        right: SlotId,
        /// Whether the result is negated.
        is_negated: bool,
    },
    /// Whether the path has an object in the slot.
    Present {
        /// The slot.
        slot: SlotId,
        /// Whether it must be absent.
        is_negated: bool,
    },
    /// Whether any property of the object contains the text, in any case.
    Contains(SlotId, String),
}

impl LeafKind {
    /// The slots that the comparison reads.
    pub(crate) fn slots(&self) -> impl Iterator<Item = SlotId> {
        let (first, second) = match self {
            Self::Test(place, _) => (place.slot, None),
            Self::Compare { left, right, .. } => (left.slot, Some(right.slot)),
            Self::Same { left, right, .. } => (*left, Some(*right)),
            Self::Present { slot, .. } | Self::Contains(slot, _) => (*slot, None),
        };
        std::iter::once(first).chain(second)
    }
}

/// The form of the result.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    /// The entities of the head.
    Entities,
    /// Everything that was walked.
    Tree,
    /// A table.
    Table(Table),
}

/// The columns of a result.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// The values that rows are grouped by; empty without aggregates.
    pub keys: Vec<Program>,
    /// The aggregates. Without any, each path is a row.
    pub aggregates: Vec<Aggregate>,
}

/// A column of a result.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// The name.
    pub name: String,
    /// The value.
    pub program: Program,
    /// Whether the column comes from `alias.*` and is dropped if no row has a value.
    pub is_expanded: bool,
}

/// An expression in postfix order, so that its depth does not matter.
pub(crate) type Program = Vec<Instruction>;

/// An operation of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Instruction {
    /// Pushes a constant.
    Constant(Value),
    /// Pushes the object of a slot.
    Slot(SlotId),
    /// Pushes a property.
    Property(Place),
    /// Pushes a value of the group.
    Key(usize),
    /// Pushes the result of an aggregate.
    Aggregate(usize),
    /// Replaces that many values by the result of a function.
    Call(Function, usize),
    /// Replaces two values by the result of an operator.
    Arithmetic(Arithmetic),
    /// Replaces a value by its negation.
    Negate,
}

/// A function of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Concat,
    Merge,
    Coalesce,
    Abs,
    Sqrt,
    Ceil,
    Floor,
    Round,
}

impl Function {
    pub(crate) const ALL: [(&'static str, Self); 8] = [
        ("concat", Self::Concat),
        ("merge", Self::Merge),
        ("coalesce", Self::Coalesce),
        ("abs", Self::Abs),
        ("sqrt", Self::Sqrt),
        ("ceil", Self::Ceil),
        ("floor", Self::Floor),
        ("round", Self::Round),
    ];

    /// Whether the function takes exactly one argument.
    pub(crate) fn is_unary(self) -> bool {
        matches!(self, Self::Abs | Self::Sqrt | Self::Ceil | Self::Floor | Self::Round)
    }
}

/// A value over the paths of a group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Aggregate {
    pub operation: Aggregation,
    /// The value of each path.
    pub argument: Program,
    /// The slots of the argument. Each combination of their objects counts once.
    pub slots: Vec<SlotId>,
}

/// The operation of an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregation {
    Count,
    Min,
    Max,
    Average,
    Sum,
}

impl Aggregation {
    pub(crate) const ALL: [(&'static str, Self); 5] =
        [("count", Self::Count), ("min", Self::Min), ("max", Self::Max), ("avg", Self::Average), ("sum", Self::Sum)];
}

/// A sort key.
#[derive(Debug, Clone)]
pub(crate) struct SortKey {
    /// The value.
    pub program: Program,
    /// Whether the order is descending. Undefined is last in both directions.
    pub is_descending: bool,
}
