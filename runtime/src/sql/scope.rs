//! Conditions of scopes, which every call has on the rows of a table unless it lifts them.
//!
//! They are written together with the condition of the tenant, at every table that a statement names. A required
//! relation leads to its row in any case, because its type has no place for a missing one.

use super::pass::Pass;
use super::writer::{Alias, Writer};
use crate::meta::{Count, Lifted, Relation, Table, TableScope};

/// Returns the scopes that are lifted for the rows that a relation leads to, if a call lifts these itself.
pub(super) fn lifted_by(relation: &Relation, lifted: Lifted) -> Lifted {
    match relation.count {
        Count::One => Lifted::ALL,
        Count::Optional | Count::Many => lifted,
    }
}

impl<P: Pass> Writer<'_, P> {
    /// Writes the conditions of the scopes that are not lifted, after `glue`. Returns whether there is one.
    #[inline]
    pub(super) fn push_scopes(&mut self, glue: &str, table: &Table, alias: Alias, lifted: Lifted) -> bool {
        if !table.has_scopes() {
            return false;
        }
        self.push_lifted_shape(table, lifted);
        let mut written = false;
        if let Some(soft_delete) = table.soft_delete
            && (lifted.scopes & Lifted::DELETED == 0 || lifted.only_deleted)
        {
            written = true;
            self.push(glue);
            self.push_column(alias, &table.columns[usize::from(soft_delete.column)]);
            self.push(if lifted.only_deleted { " IS NOT NULL" } else { " IS NULL" });
        }
        for (place, scope) in table.scopes.iter().enumerate() {
            if lifted.scopes & Lifted::bit_of(place) == 0 {
                self.push(if written { " AND (" } else { glue });
                self.push(if written { "" } else { "(" });
                written = true;
                self.push_scope(scope, table, alias);
                self.push(")");
            }
        }
        written
    }

    fn push_scope(&mut self, scope: &TableScope, table: &Table, alias: Alias) {
        for (place, text) in scope.texts.iter().enumerate() {
            self.push(text);
            if let Some(column) = scope.columns.get(place) {
                self.push_column(alias, &table.columns[usize::from(*column)]);
            }
        }
    }

    /// Adds the word of the lifted scopes. Whether there is one depends on the table alone, which has a word before.
    #[inline]
    pub(super) fn push_lifted_shape(&mut self, table: &Table, lifted: Lifted) {
        if table.has_scopes() {
            self.word(usize::from(lifted.only_deleted) | (lifted.scopes as usize) << 1);
        }
    }

    /// Writes the condition of the index that a key is unique in, after `glue`, if it is partial.
    pub(super) fn push_key_condition(&mut self, glue: &str, table: &Table, key: &[u16]) {
        if let Some(soft_delete) = table.soft_delete.filter(|_| table.is_live_key(key)) {
            self.push(glue);
            self.push_quoted(table.columns[usize::from(soft_delete.column)].name);
            self.push(" IS NULL");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::pass::{Shape, Text};
    use super::super::tenant::Context;
    use super::*;
    use crate::meta::{Column, DeletionMark};
    use crate::query::Condition;
    use crate::value::Param;

    static COLUMNS: [Column; 2] = [Column::new("id", "integer"), Column::new("deleted_at", "timestamptz")];
    static MARKED: Table = Table::new("Note", "\"notes\"", &COLUMNS, &[0], &[], &[]).soft_delete(DeletionMark::new(1));
    static PLAIN: Table = Table::new("Land", "\"lands\"", &COLUMNS, &[0], &[], &[]);

    fn is_refused(write: impl FnOnce(&mut Writer<'_, Text>)) -> bool {
        let mut writer = Writer::new(Context::default());
        write(&mut writer);
        writer.finish().params.iter().any(|param| matches!(param, Param::Refused(_)))
    }

    #[test]
    fn a_table_with_deleted_rows_cannot_be_sent_without_its_condition() {
        let name = |table: &'static Table| {
            move |writer: &mut Writer<'_, Text>| {
                let alias = writer.alias();
                writer.push_table(table, alias);
            }
        };
        assert!(is_refused(name(&MARKED)));
        assert!(!is_refused(name(&PLAIN)));
        let confined = |lifted: Lifted| {
            move |writer: &mut Writer<'_, Text>| {
                let alias = writer.alias();
                writer.push_table(&MARKED, alias);
                writer.push_confined(" WHERE ", &MARKED, alias, lifted);
            }
        };
        assert!(!is_refused(confined(Lifted::default())));
        assert!(!is_refused(confined(Lifted::ALL)));
        // The first one does not confine the second.
        assert!(is_refused(|writer| {
            confined(Lifted::default())(writer);
            name(&MARKED)(writer);
        }));
    }

    /// The text and the shape of the same condition.
    fn walked(condition: &Condition) -> (String, Vec<usize>) {
        fn walk<P: Pass>(writer: &mut Writer<'_, P>, condition: &Condition) {
            let alias = writer.alias();
            writer.push_table(&MARKED, alias);
            writer.push_where(condition, &MARKED, alias);
        }
        let (mut text, mut shape) = (Writer::new(Context::default()), Writer::of(Shape::new(), Context::default()));
        walk(&mut text, condition);
        walk(&mut shape, condition);
        let words = shape.pass().words().expect("has a shape").to_vec();
        (text.finish().into_sql(), words)
    }

    #[test]
    fn what_is_lifted_is_in_the_text_and_in_the_shape() {
        let either = || Condition::Or(vec![Condition::IsNull { column: 0 }, Condition::IsNull { column: 1 }]);
        let all = [
            (Condition::ALL, r#""notes" AS t0 WHERE t0."deleted_at" IS NULL"#),
            (Condition::ALL.with_deleted(), r#""notes" AS t0"#),
            (Condition::ALL.only_deleted(), r#""notes" AS t0 WHERE t0."deleted_at" IS NOT NULL"#),
            (
                either(),
                r#""notes" AS t0 WHERE t0."deleted_at" IS NULL AND (t0."id" IS NULL OR t0."deleted_at" IS NULL)"#,
            ),
            (either().with_deleted(), r#""notes" AS t0 WHERE t0."id" IS NULL OR t0."deleted_at" IS NULL"#),
            (
                either().only_deleted(),
                r#""notes" AS t0 WHERE t0."deleted_at" IS NOT NULL AND (t0."id" IS NULL OR t0."deleted_at" IS NULL)"#,
            ),
        ];
        let walked: Vec<_> = all.iter().map(|(condition, sql)| (walked(condition), *sql)).collect();
        for (place, ((text, shape), sql)) in walked.iter().enumerate() {
            assert_eq!(text, sql);
            assert!(walked[..place].iter().all(|((_, other), _)| other != shape), "{text}");
        }
    }

    #[test]
    fn conditions_are_added_to_what_is_lifted() {
        let condition = Condition::ALL.only_deleted().and(Condition::IsNull { column: 0 });
        assert!(condition.lifted().only_deleted && !condition.is_all());
        let condition = Condition::IsNull { column: 0 }.and(Condition::ALL.with_deleted()).and(Condition::ALL);
        assert!(condition.lifted().shows_deleted());
        assert!(
            matches!(condition, Condition::Lifting { condition, .. } if matches!(*condition, Condition::IsNull { .. }))
        );
        assert!(Condition::ALL.with_deleted().is_all(), "a bulk write needs a filter all the same");
    }
}
