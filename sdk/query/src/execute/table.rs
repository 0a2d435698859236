//! Tables: the rows of `RETURN`.

use std::collections::{HashMap, HashSet};

use super::aggregate::{Grouping, values};
use super::calculator::Calculator;
use super::filter::{ABSENT, Row, Single};
use super::hash::Tuples;
use super::identity::Identities;
use super::paths::{Next, Paths};
use super::property::Kind;
use super::reach::Reach;
use super::sort::{page, sorted};
use super::{Evaluation, Profiler};
use crate::bind::{Column, Instruction, Program, SlotId, Table};
use crate::error::QueryError;
use crate::value::Value;

/// The rows of a table.
pub(crate) struct Rows {
    /// The names of the columns.
    pub(crate) columns: Vec<String>,
    /// The cells of each row.
    pub(crate) rows: Vec<Vec<Value>>,
    /// The names of entities that rows consist of, and the numbers of these entities by row; [`ABSENT`] for none.
    pub(crate) aliases: Vec<String>,
    /// The entities of the first row, then those of the next.
    pub(crate) entities: Vec<u32>,
    /// The number of rows before the page was cut.
    pub(crate) total: u64,
}

/// The ways to see the objects of groups.
enum Route {
    /// One group: each object of a set.
    Sets,
    /// Groups by the head: each object that a head reaches.
    Heads,
    /// Each path.
    Paths,
}

/// A path, with a value for each slot that the result reads.
struct Projected<'r> {
    positions: &'r HashMap<SlotId, usize>,
    objects: &'r [u32],
}

impl Row for Projected<'_> {
    fn object(&self, slot: SlotId) -> u32 {
        self.positions.get(&slot).map_or(ABSENT, |position| self.objects[*position])
    }
}

impl<'e> Evaluation<'e> {
    /// Evaluates a table.
    pub(super) fn table_rows(
        &self,
        table: &Table,
        paths: &Paths<'_, '_>,
        profiler: &mut Profiler,
    ) -> Result<Rows, QueryError> {
        let rows = if !table.aggregates.is_empty() {
            self.groups(table, paths, profiler)?
        } else if self.bound.is_unique {
            self.unique(table, paths, profiler)?
        } else {
            self.rows(table, paths, profiler)?
        };
        Ok(without_empty_columns(rows, &table.columns))
    }

    /// Returns a row for each path.
    fn rows(&self, table: &Table, paths: &Paths<'_, '_>, profiler: &mut Profiler) -> Result<Rows, QueryError> {
        let named = self.named_nodes();
        let programs =
            table.columns.iter().map(|column| &column.program).chain(self.bound.order.iter().map(|key| &key.program));
        let mut slots: Vec<SlotId> = programs.flat_map(slots_of).chain(named.iter().map(|(_, slot)| *slot)).collect();
        slots.sort_unstable();
        slots.dedup();
        let positions: HashMap<SlotId, usize> =
            slots.iter().enumerate().map(|(position, slot)| (*slot, position)).collect();
        let width = slots.len();
        let (skip, limit) = (self.bound.skip, self.bound.limit);
        let end = limit.map(|limit| skip.saturating_add(limit)).filter(|_| self.bound.order.is_empty());
        let started = profiler.start();
        self.budget.begin("enumerated paths")?;
        let (mut kept, mut seen) = (Vec::new(), 0_u64);
        let is_exhausted = paths.walk(self.heads(), |path| {
            // The rows of the page are known. Without conditions the rest is counted instead of enumerated.
            if end.is_some_and(|end| seen >= end) {
                if paths.conditions.is_empty() {
                    return Ok(Next::Stop);
                }
                seen += 1;
                return Ok(Next::Path);
            }
            if !self.bound.order.is_empty() || seen >= skip {
                self.budget.charge(width * 4, "rows")?;
                kept.extend(slots.iter().map(|slot| path[*slot]));
            }
            seen += 1;
            Ok(Next::Path)
        })?;
        let total = if is_exhausted { seen } else { paths.count(self.readers.graph.node_count())? };
        profiler.record(started, "enumerate", conditions_text(paths.conditions.len()), None, seen);
        // A table without references to the graph has rows of width 0.
        let first = if self.bound.order.is_empty() { skip.min(seen) } else { 0 };
        let count = usize::try_from(end.map_or(seen, |end| end.min(seen)) - first).unwrap_or(usize::MAX);
        let row = |number: usize| Projected { positions: &positions, objects: &kept[number * width..][..width] };
        let mut order: Vec<usize> = (0..count).collect();
        if !self.bound.order.is_empty() {
            let started = profiler.start();
            let keys = self.calculators(self.bound.order.iter().map(|key| &key.program));
            self.budget.begin("sorted rows")?;
            let mut keyed = Vec::with_capacity(count);
            for number in order {
                keyed.push((self.cells(&keys, &row(number), "sort keys")?, number));
            }
            order = page(sorted(&self.bound.order, keyed), skip, limit);
            profiler.record(started, "sort", String::new(), None, count as u64);
        }
        let started = profiler.start();
        self.budget.begin("computed columns")?;
        let calculators = self.calculators(table.columns.iter().map(|column| &column.program));
        let (mut rows, mut entities) = (Vec::with_capacity(order.len()), Vec::new());
        for number in order {
            let row = row(number);
            rows.push(self.cells(&calculators, &row, "rows")?);
            entities.extend(named.iter().map(|(_, slot)| row.object(*slot)));
        }
        profiler.record(started, "columns", columns_text(table), None, rows.len() as u64);
        let aliases = named.into_iter().map(|(name, _)| name).collect();
        Ok(Rows { columns: names(table), rows, aliases, entities, total })
    }

    /// Returns a row for each distinct combination of cells, in the order of their first paths.
    fn unique(&self, table: &Table, paths: &Paths<'_, '_>, profiler: &mut Profiler) -> Result<Rows, QueryError> {
        let mut columns: Vec<_> =
            table.columns.iter().map(|column| Identities::new(&self.readers, &column.program)).collect();
        let mut levels: Vec<Tuples> = columns.iter().map(|_| Tuples::default()).collect();
        let (mut distinct, mut buffer): (Vec<Vec<u32>>, _) = (Vec::new(), Vec::new());
        let mut visited = 0_u64;
        let started = profiler.start();
        self.budget.begin("enumerated paths")?;
        self.visit(table, paths, |row| {
            visited += 1;
            buffer.clear();
            // Rows without columns are equal.
            let (mut tuple, mut is_new) = (0, columns.is_empty() && distinct.is_empty());
            for (column, level) in columns.iter_mut().zip(&mut levels) {
                let number = column.of(row)?;
                buffer.push(number);
                (tuple, is_new) = level.pair(tuple, number);
            }
            if is_new {
                self.budget.charge(buffer.len() * 32 + 64, "distinct rows")?;
                distinct.push(buffer.clone());
            }
            Ok(())
        })?;
        profiler.record(started, "enumerate", conditions_text(paths.conditions.len()), None, visited);
        let started = profiler.start();
        let cells = |numbers: &Vec<u32>| -> Vec<Value> {
            columns.iter().zip(numbers).map(|(column, number)| column.value(*number)).collect()
        };
        let key = |program: &Program| table.columns.iter().position(|column| column.program == *program);
        let keys: Vec<usize> = self.bound.order.iter().filter_map(|sort| key(&sort.program)).collect();
        let mut keyed = Vec::with_capacity(distinct.len());
        for numbers in &distinct {
            self.budget.tick()?;
            let cells = cells(numbers);
            self.budget.charge(cells.iter().map(Value::size).sum(), "rows")?;
            keyed.push((keys.iter().map(|column| cells[*column].clone()).collect(), cells));
        }
        let total = distinct.len() as u64;
        let rows = page(sorted(&self.bound.order, keyed), self.bound.skip, self.bound.limit);
        profiler.record(started, "unique", columns_text(table), None, total);
        Ok(Rows { columns: names(table), rows, aliases: Vec::new(), entities: Vec::new(), total })
    }

    /// Returns a row for each group.
    fn groups(&self, table: &Table, paths: &Paths<'_, '_>, profiler: &mut Profiler) -> Result<Rows, QueryError> {
        let mut grouping = Grouping::new(&self.readers, table, self.budget);
        let started = profiler.start();
        self.budget.begin("aggregated paths")?;
        let mut visited = 0_u64;
        let detail = match self.route(table, paths) {
            Route::Sets => {
                for (number, aggregate) in table.aggregates.iter().enumerate() {
                    let nodes = self.nodes_of(aggregate.slots.first().copied());
                    visited += nodes.count();
                    grouping.add_all(number, &nodes)?;
                }
                "from sets, without paths".to_owned()
            }
            Route::Heads => {
                let mut reach = Reach::new(paths, self.budget, self.readers.graph.node_count())?;
                for head in self.heads() {
                    let group = grouping.group(&Single(head))?;
                    for (number, aggregate) in table.aggregates.iter().enumerate() {
                        if aggregate.slots.first().is_none_or(|slot| *slot == 0) {
                            grouping.add_to(group, number, &Single(head))?;
                        }
                    }
                    reach.visit(head, |slot, node| {
                        visited += 1;
                        for (number, aggregate) in table.aggregates.iter().enumerate() {
                            if aggregate.slots.first() == Some(&slot) {
                                grouping.add_to(group, number, &Single(node))?;
                            }
                        }
                        Ok(())
                    })?;
                }
                "reached from each head, without paths".to_owned()
            }
            Route::Paths => {
                self.visit(table, paths, |row| {
                    visited += 1;
                    grouping.add(row)
                })?;
                conditions_text(paths.conditions.len())
            }
        };
        profiler.record(started, "aggregate", detail, None, visited);
        let started = profiler.start();
        let columns = self.calculators(table.columns.iter().map(|column| &column.program));
        let keys = self.calculators(self.bound.order.iter().map(|key| &key.program));
        let mut keyed = Vec::with_capacity(grouping.len());
        for (group, aggregates) in grouping.finish() {
            self.budget.tick()?;
            let row = values(&columns, &group, &aggregates)?;
            self.budget.charge(row.iter().map(Value::size).sum(), "rows")?;
            keyed.push((values(&keys, &group, &aggregates)?, row));
        }
        // Different groups can have equal columns, if a key is part of an expression.
        if self.bound.is_unique {
            let mut seen = HashSet::new();
            keyed.retain(|(_, row): &(_, Vec<Value>)| {
                let mut identity = Vec::new();
                row.iter().for_each(|value| value.identify(&mut identity));
                seen.insert(identity)
            });
        }
        let total = keyed.len() as u64;
        let rows = page(sorted(&self.bound.order, keyed), self.bound.skip, self.bound.limit);
        profiler.record(started, "columns", columns_text(table), None, total);
        Ok(Rows { columns: names(table), rows, aliases: Vec::new(), entities: Vec::new(), total })
    }

    /// Visits the paths; or only the heads, if the result reads nothing else and does not count rows.
    fn visit(
        &self,
        table: &Table,
        paths: &Paths<'_, '_>,
        mut visit: impl FnMut(&[u32]) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let programs = table.columns.iter().map(|column| &column.program).chain(&table.keys);
        let mut slots =
            programs.flat_map(slots_of).chain(table.aggregates.iter().flat_map(|a| a.slots.iter().copied()));
        let next = if slots.all(|slot| slot == 0) { Next::Head } else { Next::Path };
        if next == Next::Head && paths.conditions.is_empty() {
            let mut path = vec![ABSENT; self.bound.slots.len()];
            for head in self.heads() {
                self.budget.tick()?;
                path[0] = head;
                visit(&path)?;
            }
            return Ok(());
        }
        paths.walk(self.heads(), |path| visit(path).map(|()| next))?;
        Ok(())
    }

    /// Returns the cheapest way to see every object that the groups and aggregates need.
    fn route(&self, table: &Table, paths: &Paths<'_, '_>) -> Route {
        let is_single = |slots: &[SlotId]| match slots {
            [] => true,
            [slot] => self.readers.kind(*slot) == Kind::Node,
            _ => false,
        };
        let is_of_head = |key: &Program| slots_of(key).all(|slot| slot == 0);
        if !paths.conditions.is_empty() || !table.aggregates.iter().all(|aggregate| is_single(&aggregate.slots)) {
            Route::Paths
        } else if table.keys.is_empty() {
            Route::Sets
        } else if table.keys.iter().all(is_of_head) {
            Route::Heads
        } else {
            Route::Paths
        }
    }

    /// Returns the named slots of entities.
    fn named_nodes(&self) -> Vec<(String, SlotId)> {
        let slots = self.bound.slots.iter().enumerate();
        let nodes = slots.filter(|(slot, _)| self.readers.kind(*slot) == Kind::Node && !self.is_negated(*slot));
        nodes.filter_map(|(number, slot)| Some((slot.name.clone()?, number))).collect()
    }

    fn calculators<'p>(&self, programs: impl Iterator<Item = &'p Program>) -> Vec<Calculator<'e>> {
        programs.map(|program| Calculator::new(&self.readers, program)).collect()
    }

    fn cells(
        &self,
        calculators: &[Calculator<'_>],
        row: &Projected<'_>,
        content: &'static str,
    ) -> Result<Vec<Value>, QueryError> {
        self.budget.tick()?;
        let mut cells = Vec::with_capacity(calculators.len());
        for calculator in calculators {
            cells.push(calculator.value(row)?);
        }
        self.budget.charge(size_of::<Vec<Value>>() + cells.iter().map(Value::size).sum::<usize>(), content)?;
        Ok(cells)
    }
}

/// Drops the columns of `alias.*` in which no row has a value.
fn without_empty_columns(mut table: Rows, columns: &[Column]) -> Rows {
    let is_empty = |number: usize| table.rows.iter().all(|row| row[number].is_undefined());
    let keeps: Vec<bool> =
        columns.iter().enumerate().map(|(number, column)| !column.is_expanded || !is_empty(number)).collect();
    if keeps.contains(&false) {
        let kept = |number: &usize| keeps[*number];
        for row in &mut table.rows {
            let cells = std::mem::take(row);
            *row = cells.into_iter().enumerate().filter(|(number, _)| kept(number)).map(|(_, cell)| cell).collect();
        }
        let names = std::mem::take(&mut table.columns);
        table.columns =
            names.into_iter().enumerate().filter(|(number, _)| kept(number)).map(|(_, name)| name).collect();
    }
    table
}

fn slots_of(program: &Program) -> impl Iterator<Item = SlotId> {
    program.iter().filter_map(|instruction| match instruction {
        Instruction::Property(place) => Some(place.slot),
        Instruction::Slot(slot) => Some(*slot),
        _ => None,
    })
}

fn names(table: &Table) -> Vec<String> {
    table.columns.iter().map(|column| column.name.clone()).collect()
}

fn columns_text(table: &Table) -> String {
    format!("{} columns", table.columns.len())
}

fn conditions_text(conditions: usize) -> String {
    match conditions {
        0 => "paths".to_owned(),
        1 => "paths, 1 condition".to_owned(),
        count => format!("paths, {count} conditions"),
    }
}
