//! The clauses `RETURN` and `ORDER BY`.

use super::scope::{Clause, Denoted};
use super::suggestion::{did_you_mean, listed};
use super::{
    Aggregate, Aggregation, Binder, Column, Function, Instruction, Output, Place, Program, SlotId, SortKey, Table,
};
use crate::error::QueryError;
use crate::syntax::{self, Expression, Name, Return, ReturnItem, Span};

/// The slot of the first selector.
const HEAD: SlotId = 0;

/// The maximum number of columns. Binding takes time for each pair of them.
const MAX_COLUMNS: usize = 1_000;

impl Binder<'_> {
    /// Binds the form of the result and the sort keys.
    pub(super) fn output(&mut self, query: &syntax::Query) -> Result<(Output, Vec<SortKey>), QueryError> {
        let keys = query.order_by.as_ref().map_or(&[][..], |order| order.keys.as_slice());
        let items = match &query.returns {
            Some(Return::Items(items)) => items,
            other => {
                if let Some(span) = query.unique {
                    let message = "`UNIQUE` has no effect without columns: the entities of the result are distinct";
                    self.problems.warning(message, span, None);
                }
                let order = keys.iter().filter_map(|key| self.head_key(key)).collect();
                return Ok((if other.is_some() { Output::Tree } else { Output::Entities }, order));
            }
        };
        let mut table = Table::default();
        if let Some(item) = items.get(MAX_COLUMNS) {
            let message = format!("the query returns {} columns, and the maximum is {MAX_COLUMNS}", items.len());
            self.problems.error(message, item.span, Some("return fewer columns, or `alias.*`".to_owned()));
        }
        for item in items.iter().take(MAX_COLUMNS) {
            self.item(item, &mut table);
        }
        let order: Vec<_> = keys.iter().filter_map(|key| Some((key.span, self.table_key(key, &mut table)?))).collect();
        if query.unique.is_some() {
            self.check_unique_order(&table, &order);
        }
        let mut order: Vec<SortKey> = order.into_iter().map(|(_, key)| key).collect();
        if !table.aggregates.is_empty() {
            self.group(&mut table, &mut order, keys);
        }
        Ok((Output::Table(table), order))
    }

    /// Binds a sort key of a result without columns, which must belong to the head.
    fn head_key(&mut self, key: &syntax::OrderKey) -> Option<SortKey> {
        let program = match &key.expression {
            Expression::Path(path) => {
                let property =
                    path.segments.iter().map(|segment| segment.name.value.as_str()).collect::<Vec<_>>().join(".");
                let is_own = path.segments.len() == 1 || self.names.has_property(&self.slots, HEAD, &property);
                let place = match is_own {
                    true => self.own_property(path, HEAD)?,
                    false => match self.denoted(path, Clause::OrderBy)? {
                        Denoted::Property(place) => place,
                        Denoted::Object(_) => return None,
                    },
                };
                vec![Instruction::Property(place)]
            }
            other => self.program(other, &mut Vec::new(), Clause::OrderBy)?,
        };
        let is_foreign = |instruction: &Instruction| match instruction {
            Instruction::Property(place) => place.slot != HEAD,
            Instruction::Slot(slot) => *slot != HEAD,
            Instruction::Aggregate(_) => true,
            _ => false,
        };
        if program.iter().any(is_foreign) {
            let help = "name the columns with `RETURN`".to_owned();
            let message = "without columns, `ORDER BY` sorts the entities of the first selector by their properties";
            self.problems.error(message, key.span, Some(help));
            return None;
        }
        Some(SortKey { program, is_descending: key.descending })
    }

    /// Binds a sort key of a table: the name of a column, or an expression.
    fn table_key(&mut self, key: &syntax::OrderKey, table: &mut Table) -> Option<SortKey> {
        let column = match &key.expression {
            Expression::Path(path) => match path.segments.as_slice() {
                [name] => table.columns.iter().find(|column| column.name == name.name.value),
                _ => None,
            },
            _ => None,
        };
        let program = match column {
            Some(column) => column.program.clone(),
            None => self.program(&key.expression, &mut table.aggregates, Clause::OrderBy)?,
        };
        Some(SortKey { program, is_descending: key.descending })
    }

    /// `UNIQUE` keeps one of several equal rows, so that only columns have an order.
    fn check_unique_order(&mut self, table: &Table, order: &[(Span, SortKey)]) {
        for (span, key) in order {
            if !table.columns.iter().any(|column| column.program == key.program) {
                let help = "add the value to `RETURN`, or remove `UNIQUE`".to_owned();
                self.problems.error("with `UNIQUE`, `ORDER BY` sorts by columns of the result", *span, Some(help));
            }
        }
    }

    fn item(&mut self, item: &ReturnItem, table: &mut Table) {
        if let Expression::AllProperties(name) = &item.expression {
            return self.all_properties(name, item.alias.as_ref(), table);
        }
        let name = item.alias.as_ref().map_or(&item.text, |alias| &alias.value).clone();
        let Some(program) = self.program(&item.expression, &mut table.aggregates, Clause::Return) else { return };
        match table.columns.iter_mut().find(|column| column.name == name) {
            Some(column) if column.program == program => column.is_expanded = false,
            Some(_) => {
                let help = "give one of them another name with `AS`".to_owned();
                self.problems.error(format!("two columns have the name `{name}`"), item.span, Some(help));
            }
            None => table.columns.push(Column { name, program, is_expanded: false }),
        }
    }

    /// Adds a column for each property that objects in the slot have.
    fn all_properties(&mut self, name: &Name, alias: Option<&Name>, table: &mut Table) {
        let Some(slot) = self.slot(&name.value, name.span, Clause::Return) else { return };
        if let Some(alias) = alias {
            let help = "name the properties, such as `a.displayName AS name`".to_owned();
            self.problems.error("`.*` stands for several columns, which cannot have one name", alias.span, Some(help));
            return;
        }
        for property in self.names.properties(&self.slots, slot) {
            let column = format!("{}.{property}", name.value);
            if table.columns.iter().all(|known| known.name != column) {
                let program = vec![Instruction::Property(Place { slot, property: property.to_owned() })];
                table.columns.push(Column { name: column, program, is_expanded: true });
            }
        }
    }

    /// Binds an expression, or records errors.
    fn program(&mut self, expression: &Expression, aggregates: &mut Vec<Aggregate>, clause: Clause) -> Option<Program> {
        let mut program = Program::new();
        self.expression(expression, aggregates, clause, &mut program, 0)?;
        Some(program)
    }

    fn expression(
        &mut self,
        expression: &Expression,
        aggregates: &mut Vec<Aggregate>,
        clause: Clause,
        program: &mut Program,
        depth: usize,
    ) -> Option<()> {
        if self.problems.is_too_deep(depth, expression.span()) {
            return None;
        }
        match expression {
            Expression::Path(path) => program.push(match self.denoted(path, clause)? {
                Denoted::Object(slot) => Instruction::Slot(slot),
                Denoted::Property(place) => Instruction::Property(place),
            }),
            Expression::AllProperties(name) => {
                let message = "`.*` can only be a column of its own";
                self.problems.error(message, name.span, Some("name a property".to_owned()));
                return None;
            }
            Expression::Literal(literal) => program.push(Instruction::Constant(self.literal(literal)?)),
            Expression::Call { function, arguments, span } => {
                let name = function.value.to_lowercase();
                if let Some((_, operation)) = Aggregation::ALL.iter().find(|(known, _)| *known == name) {
                    let aggregate = self.aggregate(*operation, arguments, clause, *span, depth)?;
                    let position = aggregates.iter().position(|known| *known == aggregate);
                    let position = position.unwrap_or_else(|| {
                        aggregates.push(aggregate);
                        aggregates.len() - 1
                    });
                    program.push(Instruction::Aggregate(position));
                    return Some(());
                }
                let function = self.function(function, arguments, *span)?;
                for argument in arguments {
                    self.expression(argument, aggregates, clause, program, depth + 1)?;
                }
                program.push(Instruction::Call(function, arguments.len()));
            }
            Expression::Binary { operator, left, right } => {
                self.expression(left, aggregates, clause, program, depth + 1)?;
                self.expression(right, aggregates, clause, program, depth + 1)?;
                program.push(Instruction::Arithmetic(operator.value));
            }
            Expression::Negate(value, _) => {
                self.expression(value, aggregates, clause, program, depth + 1)?;
                program.push(Instruction::Negate);
            }
        }
        Some(())
    }

    fn aggregate(
        &mut self,
        operation: Aggregation,
        arguments: &[Expression],
        clause: Clause,
        span: Span,
        depth: usize,
    ) -> Option<Aggregate> {
        let [argument] = arguments else {
            self.problems.error("an aggregate has exactly one argument", span, None);
            return None;
        };
        let (mut program, mut inner) = (Program::new(), Vec::new());
        self.expression(argument, &mut inner, clause, &mut program, depth + 1)?;
        if !inner.is_empty() {
            self.problems.error("an aggregate cannot contain another aggregate", span, None);
            return None;
        }
        if operation != Aggregation::Count && matches!(program.as_slice(), [Instruction::Slot(_)]) {
            let help = "name a property of the alias".to_owned();
            self.problems.error("only `COUNT` takes an object", span, Some(help));
            return None;
        }
        let mut slots: Vec<SlotId> = program.iter().filter_map(slot_of).collect();
        slots.sort_unstable();
        slots.dedup();
        if slots.is_empty() {
            let help = "count an alias, such as `count(User)`, or aggregate one of its properties".to_owned();
            self.problems.error("an aggregate of a constant counts no rows", span, Some(help));
            return None;
        }
        Some(Aggregate { operation, argument: program, slots })
    }

    fn function(&mut self, name: &Name, arguments: &[Expression], span: Span) -> Option<Function> {
        let lower = name.value.to_lowercase();
        let Some((_, function)) = Function::ALL.iter().find(|(known, _)| *known == lower) else {
            let known = || {
                Function::ALL.iter().map(|(known, _)| *known).chain(Aggregation::ALL.iter().map(|(known, _)| *known))
            };
            let help =
                did_you_mean(&lower, known()).unwrap_or_else(|| format!("the functions are {}", listed(known())));
            self.problems.error(format!("there is no function `{}`", name.value), name.span, Some(help));
            return None;
        };
        let fits = if function.is_unary() { arguments.len() == 1 } else { !arguments.is_empty() };
        if !fits {
            let count = if function.is_unary() { "exactly one argument" } else { "at least one argument" };
            self.problems.error(format!("`{}` has {count}", name.value), span, None);
        }
        fits.then_some(*function)
    }

    /// Replaces the values outside of aggregates by the values of the group.
    fn group(&mut self, table: &mut Table, order: &mut [SortKey], keys: &[syntax::OrderKey]) {
        let mut groups = Vec::new();
        for column in &mut table.columns {
            column.program = grouped(&column.program, &mut groups);
        }
        let columns = groups.len();
        for (key, written) in order.iter_mut().zip(keys) {
            key.program = grouped(&key.program, &mut groups);
            if groups.len() > columns {
                let help = "add the value to `RETURN`, or sort by an aggregate".to_owned();
                let message = "the rows are groups, and this value differs within a group";
                self.problems.error(message, written.span, Some(help));
                groups.truncate(columns);
            }
        }
        table.keys = groups;
    }
}

/// Returns a program over groups. Without an aggregate, its value identifies the group; otherwise each property in it
/// does.
fn grouped(program: &Program, groups: &mut Vec<Program>) -> Program {
    let mut key = |program: Program| {
        let position = groups.iter().position(|known| *known == program);
        Instruction::Key(position.unwrap_or_else(|| {
            groups.push(program);
            groups.len() - 1
        }))
    };
    if program.iter().any(|instruction| matches!(instruction, Instruction::Aggregate(_))) {
        let replaced = program.iter().map(|instruction| match slot_of(instruction) {
            Some(_) => key(vec![instruction.clone()]),
            None => instruction.clone(),
        });
        replaced.collect()
    } else if program.iter().any(|instruction| slot_of(instruction).is_some()) {
        vec![key(program.clone())]
    } else {
        program.clone()
    }
}

fn slot_of(instruction: &Instruction) -> Option<SlotId> {
    match instruction {
        Instruction::Property(place) => Some(place.slot),
        Instruction::Slot(slot) => Some(*slot),
        _ => None,
    }
}
