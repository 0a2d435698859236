//! Conditions after `WITH` and `WHERE`.

use super::scope::{Clause, Denoted};
use super::{Binder, Formula, Leaf, LeafKind, Logic, Place, SlotId};
use crate::syntax::{Comparison, Condition, Literal, Operand, Path, Span, Spanned};
use crate::value::{Relation, Test};

/// The left side of a comparison, and how to compare.
struct Left {
    place: Place,
    relation: Relation,
    is_negated: bool,
    /// The slot whose `WITH` contains the comparison.
    own: Option<SlotId>,
    span: Span,
}

impl Binder<'_> {
    /// Binds the condition after `WITH` of a slot.
    pub(super) fn condition(&mut self, condition: &Condition, own: SlotId) -> Formula {
        let mut formula = Formula::default();
        self.part(condition, Some(own), &mut formula, 0);
        formula
    }

    /// Binds the condition after `WHERE`. All of the formulas must hold.
    pub(super) fn conjuncts(&mut self, condition: &Condition) -> Vec<Formula> {
        let (mut formulas, mut open) = (Vec::new(), vec![condition]);
        while let Some(condition) = open.pop() {
            if let Condition::And(parts) = condition {
                open.extend(parts.iter().rev());
                continue;
            }
            let mut formula = Formula::default();
            self.part(condition, None, &mut formula, 0);
            formulas.push(formula);
        }
        formulas
    }

    fn part(&mut self, condition: &Condition, own: Option<SlotId>, formula: &mut Formula, depth: usize) {
        let (parts, logic): (&[Condition], fn(usize) -> Logic) = match condition {
            Condition::And(parts) => (parts, Logic::And),
            Condition::Or(parts) => (parts, Logic::Or),
            Condition::Compare(comparison) => return self.comparison(comparison, own, formula, depth),
        };
        if depth > super::MAX_DEPTH {
            self.problems.is_too_deep(depth, Span::default());
            return;
        }
        for part in parts {
            self.part(part, own, formula, depth + 1);
        }
        formula.program.push(logic(parts.len()));
    }

    fn comparison(&mut self, comparison: &Comparison, own: Option<SlotId>, formula: &mut Formula, depth: usize) {
        let (relation, is_negated) = Relation::of(comparison.operator.value);
        let place = match own {
            Some(slot) => self.own_property(&comparison.left, slot),
            None => match self.denoted(&comparison.left, Clause::Where) {
                Some(Denoted::Object(slot)) => return self.object(slot, relation, is_negated, comparison, formula),
                Some(Denoted::Property(place)) => Some(place),
                None => None,
            },
        };
        // After an error the right side is still bound, so that its errors appear as well.
        let place = place.unwrap_or_else(|| Place { slot: own.unwrap_or_default(), property: String::new() });
        let left = Left { place, relation, is_negated, own, span: comparison.span };
        self.operand(&comparison.right, &left, formula, depth);
    }

    fn operand(&mut self, operand: &Operand, left: &Left, formula: &mut Formula, depth: usize) {
        let (operands, span, is_any) = match operand {
            Operand::Literal(literal) => return self.test(std::slice::from_ref(literal), left, formula),
            Operand::Path(path) => return self.compare(path, left, formula),
            Operand::Any(operands, span) => (operands, *span, true),
            Operand::All(operands, span) => (operands, *span, false),
        };
        if self.problems.is_too_deep(depth, span) {
            return;
        }
        let literals = || {
            operands.iter().map(|operand| match operand {
                Operand::Literal(literal) => Some(literal.clone()),
                _ => None,
            })
        };
        if let Some(literals) = literals().collect::<Option<Vec<_>>>().filter(|_| is_any) {
            return self.test(&literals, left, formula);
        }
        for operand in operands {
            self.operand(operand, left, formula, depth + 1);
        }
        // De Morgan: not (a or b) is not a and not b.
        let logic = if is_any == left.is_negated { Logic::And } else { Logic::Or };
        formula.program.push(logic(operands.len()));
    }

    fn test(&mut self, literals: &[Spanned<Literal>], left: &Left, formula: &mut Formula) {
        let mut constants = Vec::new();
        for literal in literals {
            constants.extend(self.constants(literal, left.relation).into_iter().flatten());
        }
        let test = Test { relation: left.relation, is_negated: left.is_negated, constants };
        formula.push(LeafKind::Test(left.place.clone(), test), left.span);
    }

    fn compare(&mut self, path: &Path, left: &Left, formula: &mut Formula) {
        let right = match left.own {
            Some(slot) => self.own_value(path, slot),
            None => match self.denoted(path, Clause::Compared) {
                Some(Denoted::Property(place)) => Some(place),
                Some(Denoted::Object(_)) => {
                    let help = "name a property, such as `.displayName`".to_owned();
                    self.problems.error("a property cannot equal an object", path.span, Some(help));
                    None
                }
                None => None,
            },
        };
        let Some(right) = right else { return };
        let (relation, is_negated) = (left.relation, left.is_negated);
        formula.push(LeafKind::Compare { left: left.place.clone(), relation, is_negated, right }, left.span);
    }

    /// Binds a comparison of a whole object: with another object, or with `undefined`.
    fn object(
        &mut self,
        slot: SlotId,
        relation: Relation,
        is_negated: bool,
        comparison: &Comparison,
        formula: &mut Formula,
    ) {
        let kind = match &comparison.right {
            _ if relation != Relation::Equal => None,
            Operand::Literal(Spanned { value: Literal::Undefined | Literal::Null, .. }) => {
                // `a = undefined` holds if the path has no such object.
                Some(LeafKind::Present { slot, is_negated: !is_negated })
            }
            Operand::Path(path) => match self.denoted(path, Clause::Compared) {
                Some(Denoted::Object(right)) if self.is_edge(slot) == self.is_edge(right) => {
                    Some(LeafKind::Same { left: slot, right, is_negated })
                }
                None => return,
                _ => None,
            },
            _ => None,
        };
        match kind {
            Some(kind) => formula.push(kind, comparison.span),
            None => {
                let message = "an object can only be compared with `=` or `!=`, with another object or `undefined`";
                let help = "name a property of the alias, such as `.displayName`".to_owned();
                self.problems.error(message, comparison.span, Some(help));
            }
        }
    }

    pub(super) fn is_edge(&self, slot: SlotId) -> bool {
        matches!(self.slots[slot].pattern, super::Pattern::Edge(_))
    }
}

impl Formula {
    fn push(&mut self, kind: LeafKind, span: Span) {
        self.program.push(Logic::Leaf(self.leaves.len()));
        self.leaves.push(Leaf { kind, span });
    }

    /// Appends the operations of another formula, which then leaves its own result.
    pub(super) fn append(&mut self, other: Self) {
        let first = self.leaves.len();
        self.leaves.extend(other.leaves);
        self.program.extend(other.program.into_iter().map(|logic| match logic {
            Logic::Leaf(leaf) => Logic::Leaf(first + leaf),
            other => other,
        }));
    }
}
