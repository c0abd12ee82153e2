//! Builds a statement: names, aliases, parameters and casts.
//!
//! Identifiers come from generated statics and are quoted here. Values are always parameters.

use super::pass::{Pass, Text};
use super::statement::Statement;
use super::tenant::Context;
use crate::meta::{Column, Table};
use crate::query::Tenant;
use crate::value::Param;

/// The first word of a shape with a tenant. Kinds of statements are small numbers.
const OF_TENANT: usize = usize::MAX;

/// Walks over a query: passes its statement to a pass, and collects its parameters.
#[derive(Debug)]
pub(crate) struct Writer<'t, P = Text> {
    pass: P,
    params: Vec<Param>,
    aliases: u32,
    /// The tenant that the statement is confined to.
    pub(super) tenant: Option<&'t Tenant>,
    /// The number of the parameter with the tenant's id, once there is one.
    pub(super) tenant_parameter: Option<u32>,
    /// Whether the next text is ON CONFLICT of a table of Citus, which refuses functions there that are not immutable.
    pub(super) is_immutable: bool,
    /// Whether the condition that is written is below NOT, where a comparison with null must not be false.
    pub(super) is_below_not: bool,
    /// Why the statement cannot be sent.
    refused: Option<Param>,
    /// The number of named tables whose rows have not yet been confined to the tenant and the scopes of the table.
    pub(super) unconfined: i32,
}

impl<'t> Writer<'t> {
    pub(super) fn new(context: Context<'t>) -> Self {
        Self::of(Text::new(), context)
    }

    /// Creates a writer that continues after these parameters.
    pub(super) fn behind(params: Vec<Param>, context: Context<'t>) -> Self {
        Self { params, ..Self::new(context) }
    }

    pub(super) fn finish(mut self) -> Statement {
        if let Some(refused) = self.refusal() {
            return refused;
        }
        if self.unconfined != 0 {
            self.params.push(Param::Refused(
                "a statement lacks the condition of a tenant or a scope: this is a bug of Relata",
            ));
        }
        Statement::new(self.pass.0, self.params)
    }
}

impl<'t, P: Pass> Writer<'t, P> {
    #[inline]
    pub(super) fn of(mut pass: P, context: Context<'t>) -> Self {
        // A statement with a tenant has another text than one without.
        if context.tenant.is_some() {
            pass.word(OF_TENANT);
        }
        let params = Vec::with_capacity(4);
        Self {
            pass,
            params,
            aliases: 0,
            tenant: context.tenant,
            tenant_parameter: None,
            is_immutable: false,
            is_below_not: false,
            refused: None,
            unconfined: 0,
        }
    }

    /// Returns a statement that is never sent, if this one cannot be.
    pub(super) fn refusal(&mut self) -> Option<Statement> {
        self.refused.take().map(Statement::refused)
    }

    /// Records that the statement cannot be sent.
    pub(super) fn refuse(&mut self, reason: Param) {
        self.pass.give_up();
        self.refused = Some(reason);
    }

    /// Returns the number of the next parameter.
    pub(super) fn next_parameter(&self) -> u32 {
        self.params.len() as u32 + 1
    }

    pub(super) fn take_params(&mut self) -> Vec<Param> {
        std::mem::take(&mut self.params)
    }

    #[inline]
    pub(super) fn push(&mut self, text: &str) {
        self.pass.push(text);
    }

    #[inline]
    pub(super) fn push_number(&mut self, number: u32) {
        self.pass.push_number(number);
    }

    #[inline]
    pub(super) fn push_quoted(&mut self, name: &str) {
        self.pass.push_quoted(name);
    }

    /// Adds a word that the following text depends on.
    #[inline]
    pub(super) fn word(&mut self, word: usize) {
        self.pass.word(word);
    }

    /// Passes something to the pass that has no method of its own.
    #[inline]
    pub(super) fn pass(&mut self) -> &mut P {
        &mut self.pass
    }

    /// `t0`, `t1` and so on.
    #[inline]
    pub(super) fn alias(&mut self) -> Alias {
        let alias = Alias(self.aliases);
        self.aliases += 1;
        alias
    }

    #[inline]
    pub(super) fn push_alias(&mut self, alias: Alias) {
        self.push("t");
        self.push_number(alias.0);
    }

    #[inline]
    pub(super) fn push_column(&mut self, alias: Alias, column: &Column) {
        self.push_alias(alias);
        self.push(".");
        self.push_quoted(column.name);
    }

    /// Writes a column such that it can be compared, sorted and grouped, which PostgreSQL cannot do with `json` and
    /// `xml`.
    #[inline]
    pub(super) fn push_comparable(&mut self, alias: Alias, column: &Column) {
        self.push_column(alias, column);
        if let Some(ty) = comparable_type(column) {
            self.push("::");
            self.push(ty);
        }
    }

    /// Writes a parameter to compare with the result of [`push_comparable`](Self::push_comparable).
    #[inline]
    pub(super) fn push_comparable_value(&mut self, column: &Column, param: Param) {
        match comparable_type(column) {
            Some(ty) if ty != column.sql_type => {
                self.push_param(param);
                self.push_comparable_cast(column, ty, "");
            }
            _ => self.push_value(column, param),
        }
    }

    /// Writes the cast of a parameter, or of a list of them, to the type in which a column is compared. A type that is
    /// compared by its text is written as PostgreSQL prints it, so the parameter takes that type first.
    pub(super) fn push_comparable_cast(&mut self, column: &Column, ty: &str, list: &str) {
        if compared_by_its_text(column.sql_type) {
            for ty in column.wire.into_iter().chain([column.sql_type]) {
                self.push_casts([ty]);
                self.push(list);
            }
        }
        self.push_casts([ty]);
        self.push(list);
    }

    /// Writes a pattern for the text of a column. Trailing spaces of a `bpchar` are not significant, as in its
    /// comparisons.
    pub(super) fn push_pattern(&mut self, column: &Column, pattern: Param) {
        let padded = column.sql_type == "bpchar";
        self.push(if padded { "rtrim(" } else { "" });
        self.push_param(pattern);
        self.push(if padded { ")" } else { "" });
    }

    /// Writes a column as text for patterns and searches. That of `bpchar` has no padding.
    pub(super) fn push_text(&mut self, alias: Alias, column: &Column) {
        self.push_column(alias, column);
        if !matches!(column.sql_type, "text" | "varchar" | "citext") {
            self.push("::text");
        }
    }

    #[inline]
    pub(super) fn push_read(&mut self, alias: Alias, column: &Column) {
        self.push_column(alias, column);
        if let Some(wire) = column.wire.or_else(|| list_type(column)) {
            self.push("::");
            self.push(wire);
        }
    }

    /// Writes every column that rows have, in the order of the model's fields. For the usual aliases the list is built once.
    #[inline]
    pub(super) fn push_all_columns(&mut self, table: &'static Table, alias: Alias) {
        if !P::IS_TEXT {
            return;
        }
        match table.select_lists.get(alias.0 as usize) {
            Some(list) => self.push(list.get_or_init(|| select_list(table, alias))),
            None => self.push_each_column(table, alias),
        }
    }

    /// Writes every column that a statement returns, like [`push_all_columns`](Self::push_all_columns). In RETURNING,
    /// Citus refuses functions that are not immutable, such as the cast of an enum to text. In a row of one value, an
    /// enum needs no cast: the driver knows the type of rows.
    pub(super) fn push_returned_columns(&mut self, table: &'static Table, alias: Alias) {
        if !table.is_on_citus || !P::IS_TEXT {
            return self.push_all_columns(table, alias);
        }
        for (index, column) in table.read_columns().iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            if is_enum(column) {
                self.push("ROW(");
                self.push_column(alias, column);
                self.push(")");
            } else {
                self.push_read(alias, column);
            }
        }
    }

    /// Writes the columns that rows do not have, each after a comma.
    pub(super) fn push_omitted(&mut self, table: &Table, alias: Alias) {
        for column in table.columns.iter().skip(table.reads) {
            self.push(", ");
            self.push_read(alias, column);
        }
    }

    fn push_each_column(&mut self, table: &Table, alias: Alias) {
        for (index, column) in table.read_columns().iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            self.push_read(alias, column);
        }
    }

    /// Writes `::type` after each.
    #[inline]
    pub(super) fn push_casts<const N: usize>(&mut self, types: [&str; N]) {
        for ty in types {
            self.push("::");
            self.push(ty);
        }
    }

    #[inline]
    pub(super) fn push_param(&mut self, param: Param) {
        self.params.push(param);
        self.push("$");
        self.push_number(self.params.len() as u32);
    }

    /// Writes a parameter in the column's type.
    #[inline]
    pub(super) fn push_value(&mut self, column: &Column, param: Param) {
        if self.is_immutable && self.push_constant(column, &param, column.sql_type) {
            return;
        }
        self.push_param(param);
        if let Some(wire) = column.wire {
            self.push_casts([wire, column.sql_type]);
        } else if column.domain {
            self.push_casts([column.sql_type]);
        }
    }

    /// Writes a parameter in the column's type, where the statement does not determine it.
    pub(super) fn push_typed(&mut self, column: &Column, param: Param) {
        self.push_value(column, param);
        if column.wire.is_none() && !column.domain {
            self.push("::");
            self.push(column.sql_type);
        }
    }

    /// Writes a parameter in the type of the column's elements.
    pub(super) fn push_element(&mut self, column: &Column, param: Param) {
        let element = |ty: &'static str| ty.strip_suffix("[]").unwrap_or(ty);
        if self.is_immutable && self.push_constant(column, &param, element(column.sql_type)) {
            return;
        }
        self.push_param(param);
        if let Some(wire) = column.wire {
            self.push_casts([element(wire), element(column.sql_type)]);
        } else if column.domain || compared_by_its_text(column.sql_type) {
            self.push_casts([element(column.sql_type)]);
        }
    }

    /// Writes a parameter that is an array of values in the column's type.
    #[inline]
    pub(super) fn push_values(&mut self, column: &Column, param: Param) {
        if self.is_immutable && self.push_constant(column, &param, column.sql_type) {
            return self.push("[]");
        }
        self.push_param(param);
        for ty in column.wire_in_list().into_iter().chain([column.sql_type]) {
            self.push_casts([ty]);
            self.push("[]");
        }
    }

    /// Writes a value of an enum as a constant, whose cast PostgreSQL carries out when it parses the statement. The labels
    /// are those of the schema, and no text of a user. Returns whether it is one.
    #[cold]
    fn push_constant(&mut self, column: &Column, param: &Param, ty: &str) -> bool {
        fn constant(param: &Param) -> Option<String> {
            match param {
                Param::Null => Some("NULL".to_owned()),
                Param::Label(label) => Some(relata_pgsql::literal(label)),
                Param::Array(values) => {
                    let values: Option<Vec<String>> = values.iter().map(constant).collect();
                    Some(format!("ARRAY[{}]", values?.join(", ")))
                }
                _ => None,
            }
        }
        let Some(text) = constant(param).filter(|_| is_enum(column)) else { return false };
        self.push(&text);
        self.push("::");
        self.push(ty);
        true
    }

    /// Writes a table whose rows have to be confined to the tenant, if there is one, and to the table's scopes, by
    /// [`push_tenant`](Self::push_tenant) or [`push_confined`](Self::push_confined).
    #[inline]
    pub(super) fn push_table(&mut self, table: &Table, alias: Alias) {
        self.must_be_confined(table);
        self.push_unconfined_table(table, alias);
    }

    /// Writes a table that is inserted into, or that leads to the tenant.
    #[inline]
    pub(super) fn push_unconfined_table(&mut self, table: &Table, alias: Alias) {
        self.push(table.sql);
        self.push(" AS ");
        self.push_alias(alias);
    }
}

/// Returns the type in which a column's values can be compared, if that is not its own.
#[inline]
pub(super) fn comparable_type(column: &Column) -> Option<&'static str> {
    match column.sql_type {
        "json" => Some("jsonb"),
        "json[]" => Some("jsonb[]"),
        "xml" => Some("text"),
        "xml[]" => Some("text[]"),
        // PostgreSQL has no operators between arrays of `bit` and `varbit`, and both are sent as `varbit`.
        "varbit[]" => Some("varbit[]"),
        ty if compared_by_its_text(ty) => Some(if ty.ends_with("[]") { "text[]" } else { "text" }),
        _ => list_type(column),
    }
}

/// Returns whether PostgreSQL does not compare values of the type, has no order of them, or compares something else: two
/// boxes are equal for it if their areas are.
pub(super) fn compared_by_its_text(sql_type: &str) -> bool {
    let element = sql_type.strip_suffix("[]").unwrap_or(sql_type);
    matches!(element, "point" | "box" | "lseg" | "line" | "path" | "polygon" | "circle" | "jsonpath" | "hstore")
        || element.ends_with(".hstore")
}

/// Returns the type of a list whose elements have a domain. PostgreSQL has no operators between such a list and one of
/// the type below the domain.
fn list_type(column: &Column) -> Option<&'static str> {
    (column.domain && column.sql_type.ends_with("[]")).then_some(column.wire.unwrap_or(column.sql_type))
}

/// Returns whether the column holds an enum or a list of enums. Only their types have quoted names.
fn is_enum(column: &Column) -> bool {
    column.wire.is_some() && column.sql_type.starts_with('"')
}

/// The alias of a table in a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alias(pub(super) u32);

fn select_list(table: &Table, alias: Alias) -> String {
    let mut writer = Writer::new(Context::default());
    writer.push_each_column(table, alias);
    writer.finish().into_sql()
}
