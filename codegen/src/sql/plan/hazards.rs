//! The hazards of each step: data loss, failures, and changes that break clients.

use super::action::{Action, Alteration, ColumnSpec};
use super::assess::AssessCx;
use super::conversion::is_unique;
use crate::sql::cast::{Risk, cast};
use crate::sql::change::{CatalogChange, TableObject};
use crate::sql::codes::{self, Lint};
use crate::sql::probe::Probe;
use crate::sql::quote::{ident, qualified};
use crate::sql::state::{
    CatalogObject, Column, ColumnDefault, Exclusion, ForeignKey, IndexPart, IndexTarget, Nature, ObjectName,
    repartitioned,
};

/// The kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HazardKind {
    /// Data is lost.
    DataLoss,
    /// The statement may fail because of the data, without changing anything.
    MayFail,
    /// Clients that use the old schema fail.
    BreaksClients,
}

/// Something that can be lost or fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hazard {
    /// The kind of hazard.
    pub kind: HazardKind,
    /// Its code.
    pub lint: &'static Lint,
    /// What happens, and to which object.
    pub text: String,
    /// The query that shows whether a database is affected.
    pub probe: Option<Probe>,
}

impl Hazard {
    fn loss(lint: &'static Lint, text: String, probe: Option<Probe>) -> Self {
        Self { kind: HazardKind::DataLoss, lint, text, probe }
    }

    fn failure(lint: &'static Lint, text: String, probe: Option<Probe>) -> Self {
        Self { kind: HazardKind::MayFail, lint, text, probe }
    }

    fn breakage(text: String) -> Self {
        Self { kind: HazardKind::BreaksClients, lint: codes::C401, text, probe: None }
    }
}

impl AssessCx {
    pub(super) fn hazards(&self, action: &Action) -> Vec<Hazard> {
        match action {
            Action::DropTable(table) => {
                let name = self.names.table(&table.name);
                let used = self.in_use(&table.used_by, &format!("table {name} is dropped"));
                used.into_iter().chain([dropped_table(name)]).collect()
            }
            Action::DropColumns { table, columns } => {
                let name = |column: &'_ Column| self.names.column(table, &column.name).to_owned();
                let used = columns
                    .iter()
                    .filter_map(|column| self.in_use(&column.used_by, &format!("{table}.{} is dropped", name(column))));
                used.chain(columns.iter().map(|column| dropped_column(table, &name(column)))).collect()
            }
            Action::RenameTable { .. }
            | Action::MoveTable { .. }
            | Action::RenameColumn { .. }
            | Action::RenameLabel { .. } => self.renamed(action).map(Hazard::breakage).into_iter().collect(),
            Action::Catalog(CatalogChange::Drop { object, blocked_by, comes_back, .. }) => {
                let used = self.in_use(blocked_by, &format!("{} is dropped", object.key));
                let is_view = object.nature == Nature::View && !comes_back;
                let text = format!("{} is dropped", object.key);
                let gone = Hazard { kind: HazardKind::BreaksClients, lint: codes::C407, text, probe: None };
                used.into_iter().chain(is_view.then_some(gone)).collect()
            }
            Action::Catalog(CatalogChange::Alter { object, statements, serves, blocked_by, .. })
                if object.key.kind == "domain" && !serves.is_empty() =>
            {
                self.domain_hazards(object, statements, blocked_by)
            }
            Action::Catalog(CatalogChange::Alter { object, statements, serves, .. })
                if object.key.kind == "composite type"
                    && !serves.is_empty()
                    && statements.iter().any(|it| it.contains(" DROP ATTRIBUTE ")) =>
            {
                let tables: Vec<String> = serves.iter().map(ObjectName::to_string).collect();
                let text =
                    format!("an attribute of {} is dropped, with its values in {}", object.key, tables.join(", "));
                vec![Hazard::loss(codes::D103, text, None)]
            }
            // PostgreSQL changes the values in no table.
            Action::Catalog(CatalogChange::Alter { object, statements, serves, .. })
                if object.key.kind == "composite type"
                    && statements.iter().any(|it| it.contains(" ALTER ATTRIBUTE ")) =>
            {
                let tables: Vec<String> = serves.iter().map(|table| format!("table {table}")).collect();
                self.in_use(&tables, &format!("an attribute of {} changes its type", object.key)).into_iter().collect()
            }
            Action::DropOther(other) => {
                self.in_use(&other.used_by, &format!("{} {} is dropped", other.kind, other.name)).into_iter().collect()
            }
            Action::CreateTable { table, .. } => {
                table.columns.iter().filter_map(|column| self.needed_domain(&table.name, column)).collect()
            }
            Action::DropExpression { table, previous, next } => {
                generation_hazard(table, previous, next).into_iter().collect()
            }
            Action::AlterColumns { table, alterations } => {
                let found = alterations.iter().flat_map(|alteration| self.alteration_hazards(table, alteration));
                let columns: Vec<&str> = alterations.iter().map(|it| it.next.name.as_str()).collect();
                found.chain(self.kept_hazards(table, &columns, false)).collect()
            }
            Action::Backfill { table, column } | Action::BackfillInBatches { table, column } => {
                self.kept_hazards(table, &[column], true)
            }
            Action::FillShadowColumns { table, columns } => {
                columns.iter().flat_map(|shadow| self.alteration_hazards(table, &shadow.alteration)).collect()
            }
            Action::AddColumns { table, columns } => {
                let required = columns.iter().filter(|spec| is_without_value(spec));
                let required = required.map(|spec| required_column(table, &spec.column.name));
                let computed = columns.iter().filter_map(|spec| computed_column(table, &spec.column));
                required
                    .chain(computed)
                    .chain(columns.iter().filter_map(|spec| self.identity_over_partitions(table, &spec.column)))
                    .chain(columns.iter().filter_map(|spec| self.needed_domain(table, &spec.column)))
                    .collect()
            }
            Action::SetRowSecurity { table, previous: (false, _), next: (true, forced) } if !self.is_new(table) => {
                let text = match forced {
                    true => format!("{table} shows no rows to clients that do not set the tenant"),
                    false => format!("{table} shows clients only the rows that a policy allows; not its owner"),
                };
                vec![Hazard { kind: HazardKind::BreaksClients, lint: codes::C405, text, probe: None }]
            }
            Action::Repartition { table, previous, next } => {
                let text = format!("{}: fails until you write the statements", repartitioned(table, previous, next));
                vec![Hazard::failure(codes::F212, text, None)]
            }
            // It accepts the rows that are there.
            Action::AddObject { object, .. } if object.is_not_valid() => Vec::new(),
            Action::AddObject { table, object, holds: true } => self.kept_key_hazards(table, object),
            Action::CreateIndexConcurrently { table, index, holds: true } => {
                self.kept_key_hazards(table, &TableObject::Index(index.clone()))
            }
            Action::Validate { holds: true, .. } => Vec::new(),
            Action::AddObject { table, object, .. } => self.object_hazards(table, object),
            Action::CreateIndexConcurrently { table, index, .. } => {
                self.object_hazards(table, &TableObject::Index(index.clone()))
            }
            Action::Validate { table, column: Some(column), .. } => vec![required(table, column, true, None)],
            Action::Validate { table, object, .. } => self.object_hazards(table, object),
            _ => Vec::new(),
        }
    }

    /// Returns what can go wrong when a domain that columns have changes its constraints.
    fn domain_hazards(&self, domain: &CatalogObject, statements: &[String], blocked_by: &[String]) -> Vec<Hazard> {
        let has = |clause: &str| statements.iter().any(|statement| statement.contains(clause));
        let (required, checked) = (has(" SET NOT NULL"), has(" ADD CONSTRAINT "));
        let mut found = Vec::new();
        if required {
            let text = format!("{} no longer allows NULL: fails if a column with it holds NULL", domain.key);
            found.push(Hazard::failure(codes::F202, text, None));
        }
        if checked {
            let text = format!("{} gets a check: fails if a value violates it", domain.key);
            found.push(Hazard::failure(codes::F205, text, None));
        }
        found.extend(self.in_use(blocked_by, &format!("{} gets another constraint", domain.key)));
        found
    }

    /// Returns the hazard that the database may not have the domain of a column.
    fn needed_domain(&self, table: &ObjectName, column: &Column) -> Option<Hazard> {
        let domain = column.options.domain.as_ref().filter(|domain| !self.domains.contains(domain))?;
        let probe = Probe::of_domain(column)?;
        let text = format!(
            "{table}.{} has the domain {domain}, which no migration creates: fails if the database does not have it",
            column.name
        );
        Some(Hazard::failure(codes::F210, text, Some(probe)))
    }

    /// Returns what existing clients no longer find under its name; nothing if it only gets a temporary one.
    fn renamed(&self, action: &Action) -> Option<String> {
        let names = &self.names;
        match action {
            Action::RenameTable { from, to } => {
                let is_final = names.table(&from.sibling(to)).name == *to;
                is_final.then(|| format!("table {} is renamed to {to}", names.table(from)))
            }
            Action::MoveTable { from, schema } => {
                Some(format!("table {} is moved to schema {schema}", names.table(from)))
            }
            Action::RenameColumn { table, from, to } => {
                let is_final = names.column(table, to) == to;
                is_final.then(|| format!("column {table}.{} is renamed to {to}", names.column(table, from)))
            }
            Action::RenameLabel { enum_name, from, to } => {
                let is_final = names.label(enum_name, to) == to;
                is_final.then(|| format!("value {enum_name}.{} is renamed to {to}", names.label(enum_name, from)))
            }
            _ => None,
        }
    }

    fn object_hazards(&self, table: &ObjectName, object: &TableObject) -> Vec<Hazard> {
        if self.is_new(table) || self.is_without_values(table, object) {
            return Vec::new();
        }
        let mut hazard = self.added_object(table, object);
        if let Some(hazard) = &mut hazard {
            if is_unique(object) {
                hazard.probe = self.conversions.duplicates(table, object);
            } else if self.conversions.changes_under(table, object) {
                hazard.probe = None;
            }
        }
        hazard.into_iter().collect()
    }

    /// Without the probe of a unique key, which depends on its new values.
    fn added_object(&self, table: &ObjectName, object: &TableObject) -> Option<Hazard> {
        let name = |column: &'_ String| self.conversions.final_name(table, column).to_owned();
        let list = |columns: &[String]| columns.iter().map(name).collect::<Vec<_>>().join(", ");
        match object {
            TableObject::PrimaryKey(key) => {
                let text =
                    format!("{table} gets the primary key ({}): fails for duplicates and NULL", list(&key.columns));
                Some(Hazard::failure(codes::F203, text, None))
            }
            TableObject::Unique(unique) => {
                let text = format!("{table} ({}) becomes unique: fails for duplicates", list(&unique.columns));
                Some(Hazard::failure(codes::F203, text, None))
            }
            TableObject::Index(index) if index.unique => {
                let text = format!("{table} gets the unique index {}: fails for duplicates", index.name);
                Some(Hazard::failure(codes::F203, text, None))
            }
            TableObject::Index(_) => None,
            TableObject::Exclusion(exclusion) => {
                let name = &exclusion.index.name;
                let text =
                    format!("{table} gets the exclusion constraint {name}: fails for rows that exclude each other");
                Some(Hazard::failure(codes::F211, text, Some(conflicts(table, exclusion))))
            }
            TableObject::ForeignKey(key) => {
                let text = format!(
                    "{table} ({}) must reference rows of {}: fails for orphans",
                    list(&key.columns),
                    key.referenced_table
                );
                Some(Hazard::failure(codes::F204, text, Some(orphans(table, key))))
            }
            TableObject::Check(check) => {
                let text = format!("{table} must pass the check {}: fails for rows that violate it", check.name);
                let probe = Probe::Violations { table: qualified(table), condition: check.expression.clone() };
                Some(Hazard::failure(codes::F205, text, Some(probe)))
            }
        }
    }

    /// Returns the hazards of keys and checks that stay over columns whose values change.
    fn kept_hazards(&self, table: &ObjectName, columns: &[&str], fills: bool) -> Vec<Hazard> {
        if self.is_new(table) {
            return Vec::new();
        }
        let keys = self.conversions.kept_keys(table, columns, fills).map(|object| self.merged_key(table, object));
        let exclusions = self.conversions.kept_exclusions(table, columns, fills).map(changed_exclusion);
        let filled = columns.iter().filter(|_| fills);
        let constraints = filled.flat_map(|column| {
            let found = self.conversions.filled_constraints(table, column);
            found.filter_map(|object| self.filled_constraint(table, column, object))
        });
        keys.chain(exclusions).chain(constraints).collect()
    }

    /// A foreign key or a check that stays while a default takes the place of NULL.
    fn filled_constraint(&self, table: &ObjectName, column: &str, object: &TableObject) -> Option<Hazard> {
        let filled = format!("{table}.{column} gets its default in place of NULL");
        match object {
            TableObject::ForeignKey(key) => {
                let text = format!("{filled}: fails if {} has no row that it references", key.referenced_table);
                let value = |name: &String| self.conversions.value(table, name);
                // The probe can name the value only if the column is the whole key.
                let value = key.columns.first().filter(|_| key.columns.len() == 1).and_then(value);
                let probe = value.map(|value| filled_orphans(table, key, &value));
                Some(Hazard::failure(codes::F204, text, probe))
            }
            TableObject::Check(check) => {
                let text = format!("{filled}: fails for rows that then violate the check {}", check.name);
                Some(Hazard::failure(codes::F205, text, None))
            }
            _ => None,
        }
    }

    /// Returns the hazards of a key that is built again over values that may have become equal.
    fn kept_key_hazards(&self, table: &ObjectName, object: &TableObject) -> Vec<Hazard> {
        let may_merge = !self.is_new(table) && self.conversions.may_merge(table, object);
        may_merge.then(|| self.merged_key(table, object)).into_iter().collect()
    }

    fn merged_key(&self, table: &ObjectName, object: &TableObject) -> Hazard {
        let key = self.conversions.key_text(table, object);
        let text = format!("{key} stays unique while its values change: fails if values that differ become equal");
        Hazard::failure(codes::F209, text, self.conversions.duplicates(table, object))
    }

    /// NULL is never a duplicate, and references nothing.
    fn is_without_values(&self, table: &ObjectName, object: &TableObject) -> bool {
        let is_empty = |column: &str| self.empty_columns.contains(&(table.clone(), column.to_owned()));
        match object {
            TableObject::Unique(unique) => unique.columns.iter().any(|column| is_empty(column)),
            TableObject::ForeignKey(key) => key.columns.iter().any(|column| is_empty(column)),
            TableObject::Index(index) => !index.nulls_not_distinct && index.columns().any(is_empty),
            TableObject::Exclusion(exclusion) => exclusion.index.columns().any(is_empty),
            TableObject::PrimaryKey(_) | TableObject::Check(_) => false,
        }
    }

    fn alteration_hazards(&self, table: &ObjectName, alteration: &Alteration) -> Vec<Hazard> {
        let Alteration { previous, next, .. } = alteration;
        let mut hazards = Vec::new();
        if previous.options.domain != next.options.domain {
            hazards.extend(self.needed_domain(table, next));
        }
        if !alteration.expression_dropped {
            hazards.extend(generation_hazard(table, previous, next));
        }
        if previous.identity.is_none() || previous.is_recreated(next) {
            hazards.extend(self.identity_over_partitions(table, next));
        }
        if previous.is_recreated(next) {
            hazards.extend(self.in_use(&previous.used_by, &format!("{table}.{} is created again", next.name)));
            hazards.extend(computed_column(table, next));
            return hazards;
        }
        if alteration.retyped && previous.options.inherited {
            let text = format!(
                "{table}.{} changes its type: fails because the table inherits it; change it in the parent table",
                next.name
            );
            hazards.push(Hazard::failure(codes::F208, text, None));
        }
        if alteration.retyped {
            hazards.extend(self.in_use(&previous.used_by, &format!("{table}.{} changes its type", next.name)));
            hazards.extend(self.retyping_hazard(table, previous, next));
        }
        let is_required = !next.nullable && !alteration.not_null_later && !self.is_new(table);
        if is_required && (previous.nullable || loses_values(alteration)) {
            let value = self.conversions.value(table, &next.name);
            hazards.push(required(table, &next.name, previous.nullable, value));
        }
        hazards
    }

    /// Before PostgreSQL 17, the partitions of a table cannot share its identity.
    fn identity_over_partitions(&self, table: &ObjectName, column: &Column) -> Option<Hazard> {
        let text = format!(
            "{table}.{} becomes an identity column: fails before PostgreSQL 17 if the table has partitions; use \
             `@default(autoincrement())`",
            column.name
        );
        let is_counted = column.identity.is_some() && self.partitioned.contains(table);
        is_counted.then(|| Hazard::failure(codes::F208, text, None))
    }

    /// PostgreSQL refuses to drop or change something that a view uses.
    fn in_use(&self, used_by: &[String], what: &str) -> Option<Hazard> {
        let users: Vec<&str> =
            used_by.iter().map(String::as_str).filter(|user| !self.dropped.contains(*user)).collect();
        let text =
            format!("{what}: fails because {} use{} it", users.join(", "), if users.len() == 1 { "s" } else { "" });
        (!users.is_empty()).then(|| Hazard::failure(codes::F208, text, None))
    }

    fn retyping_hazard(&self, table: &ObjectName, previous: &Column, next: &Column) -> Option<Hazard> {
        let name = format!("{table}.{}", next.name);
        let change = format!("{name} becomes {} from {}", next.type_words(), previous.type_words());
        let removed = match &next.ty {
            crate::sql::data_type::DataType::Enum(ty) if previous.ty == next.ty => self.removed_labels.get(ty),
            _ => None,
        };
        match (removed, cast(previous, next).risk) {
            (Some(removed), _) if removed.is_empty() => None,
            (Some(removed), _) => {
                let text = format!("{name} no longer allows {}: fails if a row has it", removed.join(", "));
                let column = ident(&next.name);
                let probe = Probe::Labels { table: qualified(table), column, labels: removed.clone() };
                Some(Hazard::failure(codes::D107, text, Some(probe)))
            }
            (None, Risk::MayFail(what)) => {
                Some(Hazard::failure(codes::D106, format!("{change}: fails for {what}"), None))
            }
            (None, Risk::Loses(what)) => Some(Hazard::loss(codes::D105, format!("{change}: loses {what}"), None)),
            (None, Risk::None) => None,
        }
    }
}

/// Returns the hazard for the expression, or for the values.
fn generation_hazard(table: &ObjectName, previous: &Column, next: &Column) -> Option<Hazard> {
    let name = format!("{table}.{}", next.name);
    match (&previous.generated, &next.generated) {
        (Some(sql), None) => {
            let values = if previous.options.is_virtual { "loses its values" } else { "keeps its values" };
            let text =
                format!("{name} is no longer generated by ({sql}): it {values}, and new rows have what clients write");
            Some(Hazard::loss(codes::D110, text, None))
        }
        (None, Some(_)) => {
            let probe = Probe::Values { table: qualified(table), column: ident(&next.name) };
            Some(Hazard::loss(
                codes::D103,
                format!("column {name} becomes generated and loses its values"),
                Some(probe),
            ))
        }
        _ => None,
    }
}

fn dropped_table(table: &ObjectName) -> Hazard {
    let probe = Probe::Rows { table: qualified(table) };
    Hazard::loss(codes::D102, format!("table {table} is dropped with all its rows"), Some(probe))
}

fn dropped_column(table: &ObjectName, column: &str) -> Hazard {
    let probe = Probe::Values { table: qualified(table), column: ident(column) };
    Hazard::loss(codes::D103, format!("column {table}.{column} is dropped"), Some(probe))
}

fn required_column(table: &ObjectName, column: &str) -> Hazard {
    let text = format!("{table}.{column} is required and has no default: fails if the table has rows");
    Hazard::failure(codes::F201, text, Some(Probe::Rows { table: qualified(table) }))
}

/// Returns the hazard that a generated column is NULL for a row.
fn computed_column(table: &ObjectName, column: &Column) -> Option<Hazard> {
    let sql = column.generated.as_ref().filter(|_| column.options.may_be_null)?;
    let text = format!("{table}.{} is required and generated: fails if ({sql}) is NULL for a row", column.name);
    Some(Hazard::failure(codes::F202, text, None))
}

/// `value`: the new value, as SQL over the old rows.
fn required(table: &ObjectName, column: &str, becomes: bool, value: Option<String>) -> Hazard {
    let probe = Probe::Nulls { table: qualified(table), column: value.unwrap_or_else(|| ident(column)) };
    let text = match becomes {
        true => format!("{table}.{column} becomes required: fails if it holds NULL"),
        false => format!("{table}.{column} stays required: fails for an empty list, whose first element is NULL"),
    };
    Hazard::failure(codes::F202, text, Some(probe))
}

/// Returns whether values become NULL: an empty list has no first element.
fn loses_values(alteration: &Alteration) -> bool {
    let Alteration { previous, next, using, retyped, .. } = alteration;
    let is_ours = *using == cast(previous, next).using;
    *retyped && previous.array && !next.array && is_ours
}

fn is_without_value(spec: &ColumnSpec) -> bool {
    let column = &spec.column;
    let has_default = !matches!(column.default, None | Some(ColumnDefault::Unmanaged));
    !column.nullable && !has_default && spec.fill.is_none() && column.identity.is_none() && column.generated.is_none()
}

fn conflicts(table: &ObjectName, exclusion: &Exclusion) -> Probe {
    let value = |part: &IndexPart| match &part.target {
        IndexTarget::Column(name) => ident(name),
        IndexTarget::Expression(sql) => format!("({sql})"),
    };
    Probe::Conflicts {
        table: qualified(table),
        values: exclusion.index.parts.iter().map(value).collect(),
        operators: exclusion.operators.clone(),
        condition: exclusion.index.predicate.clone(),
    }
}

fn changed_exclusion(name: &str) -> Hazard {
    let text = format!("exclusion constraint {name} stays while its values change: fails if rows conflict then");
    Hazard::failure(codes::F209, text, None)
}

/// `value`: what the only column of the key becomes, as SQL over the old row.
fn filled_orphans(table: &ObjectName, key: &ForeignKey, value: &str) -> Probe {
    Probe::Orphans {
        table: format!("(SELECT {value} AS filled FROM {})", qualified(table)),
        columns: vec!["filled".to_owned()],
        referenced: qualified(&key.referenced_table),
        referenced_columns: key.referenced_columns.iter().map(|column| ident(column)).collect(),
    }
}

fn orphans(table: &ObjectName, key: &ForeignKey) -> Probe {
    Probe::Orphans {
        table: qualified(table),
        columns: key.columns.iter().map(|column| ident(column)).collect(),
        referenced: qualified(&key.referenced_table),
        referenced_columns: key.referenced_columns.iter().map(|column| ident(column)).collect(),
    }
}
