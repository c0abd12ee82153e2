//! Random statements that write the rows of one tenant. The compiler confines them, and PostgreSQL runs them over the rows
//! of two tenants. The rows of the second stay as they are, and those of the first become what the same statement makes
//! of them where only the first has rows.

use std::collections::BTreeMap;

use relata_codegen::diagnostics::Sources;
use relata_codegen::queries::{Confinement, check};
use tokio_postgres::SimpleQueryMessage;

use super::Generator;
use super::confined::{Judge, ORDERED, in_brackets, is_leaked};
use super::expression::Scope;
use super::statement::Cte;
use super::world::{TABLES, values};

#[path = "written/by_hand.rs"]
mod by_hand;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Tally {
    cases: usize,
    pub(super) confined: usize,
    /// Accepted, and not confined.
    open: usize,
    /// How often a statement ran with the same result as over the first tenant's rows alone.
    pub(super) same: usize,
    /// Of these, how often a row was changed.
    pub(super) changed: usize,
    /// How often the result depends on the order of the rows, or a key was that of the second tenant's row. The rows of
    /// the second were as before.
    pub(super) ordered: usize,
    /// Ran over one tenant's rows and failed over those of both, by SQLSTATE.
    failed: BTreeMap<String, usize>,
    pub(super) failures: Vec<String>,
}

impl Tally {
    pub(super) fn report(&self) -> String {
        let Self { cases, confined, open, same, changed, ordered, failed, .. } = self;
        format!(
            "{cases} statements: {confined} confined, {open} not; {same} results are the same, {changed} of them with \
             changed rows; {ordered} depend on order or met a key of the second tenant; failed over the rows of both \
             tenants alone: {failed:?}"
        )
    }
}

type Row = Vec<Option<String>>;

/// What a statement returned, and the rows of all tables afterwards, sorted.
#[derive(Debug, PartialEq)]
struct Outcome {
    returned: Vec<Row>,
    tables: Vec<Vec<String>>,
}

impl Judge {
    async fn judge_write(&self, name: &str, sql: &str, before: &[Vec<Vec<String>>; 2], tally: &mut Tally) {
        tally.cases += 1;
        let checked = check(&self.schema, &Sources::single("q.sql", sql));
        let Some(query) = checked.queries.first() else { return };
        let Confinement::Confined(confined) = &query.confinement else {
            tally.open += usize::from(query.confinement == Confinement::None);
            return;
        };
        let Ok(prepared) = self.client.prepare(&query.sql).await else { return };
        tally.confined += 1;
        let types: Vec<String> = prepared.params().iter().map(|ty| ty.name().to_owned()).collect();
        let prepare = format!("PREPARE own AS {}; PREPARE confined AS {confined}", query.sql);
        let mut outcome = self.client.batch_execute(&prepare).await.map_err(|error| format!("is refused: {error:?}"));
        let forgotten = if outcome.is_ok() { "DEALLOCATE own; DEALLOCATE confined" } else { "DEALLOCATE ALL" };
        for round in 0..2 {
            if outcome.is_ok() {
                outcome = self.compare_writes(&query.sql, &types, round, before, tally).await;
            }
        }
        self.client.batch_execute(forgotten).await.expect("is deallocated");
        if let Err(what) = outcome {
            tally.failures.push(format!("{name}: {what}\n{sql}\n{confined}"));
        }
    }

    async fn compare_writes(
        &self,
        sql: &str,
        types: &[String],
        round: usize,
        [first, second]: &[Vec<Vec<String>>; 2],
        tally: &mut Tally,
    ) -> Result<(), String> {
        let arg = |(at, ty): (usize, &String)| {
            let values = values(ty.strip_prefix('_').map(|ty| format!("{ty}[]")).as_deref().unwrap_or(ty));
            format!("'{}'", values[(round + at) % values.len()])
        };
        let mut args: Vec<String> = types.iter().enumerate().map(arg).collect();
        let own = self.write("own", &format!("EXECUTE own{}", in_brackets(&args))).await;
        args.push("1".to_owned());
        let both = self.write("public", &format!("EXECUTE confined{}", in_brackets(&args))).await;
        let Ok(mut both) = both else {
            if let (Ok(_), Err(code)) = (own, both) {
                *tally.failed.entry(code).or_default() += 1;
            }
            return Ok(());
        };
        for (rows, theirs) in both.tables.iter_mut().zip(second) {
            for row in theirs {
                let at = rows
                    .binary_search(row)
                    .map_err(|_| format!("a row of another tenant is changed: {row}, {args:?}"))?;
                rows.remove(at);
            }
        }
        let texts = both.returned.iter().flatten().flatten();
        let Ok(own) = own else { return Ok(()) };
        let lower = sql.to_lowercase();
        // The key of a row of the second tenant may be in the statement, and so in a new row.
        let is_leak = |text: &&String| !sql.contains("777") && is_leaked(sql, text);
        if let Some(leak) = texts.into_iter().find(is_leak) {
            return Err(format!("a row of another tenant is read: {leak}, with {args:?}"));
        }
        let chooses = lower.contains(" from ") && !lower.starts_with("delete") || lower.starts_with("with");
        let meets_key = lower.contains("777") && lower.contains("insert");
        let is_ordered = meets_key || chooses || ORDERED.iter().any(|word| lower.contains(word));
        // Of several rows that match a deleted one, PostgreSQL returns any.
        let returns_any = lower.starts_with("delete") && lower.contains(" using ") && own.tables == both.tables;
        if own == both {
            tally.same += 1;
            tally.changed += usize::from(own.tables != *first);
        } else if is_ordered || returns_any {
            tally.ordered += 1;
        } else {
            return Err(format!("the rows differ, with {args:?}:\n{own:?}\n{both:?}"));
        }
        Ok(())
    }

    /// Runs a statement in a transaction that is rolled back. Fails with the SQLSTATE.
    async fn write(&self, schema: &str, sql: &str) -> Result<Outcome, String> {
        let rows: Vec<String> =
            TABLES.iter().map(|(table, _)| format!("SELECT t::text FROM {schema}.{table} t")).collect();
        let ran = format!(
            "BEGIN; SET LOCAL search_path = {schema}, public; SELECT setval('public.node_id_seq', 5000); {sql}; {}; ROLLBACK",
            rows.join("; ")
        );
        let messages = match self.client.simple_query(&ran).await {
            Ok(messages) => messages,
            Err(error) => {
                self.client.batch_execute("ROLLBACK").await.expect("is rolled back");
                return Err(error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned()));
            }
        };
        let mut results: Vec<Vec<Row>> = vec![Vec::new()];
        for message in &messages {
            match message {
                SimpleQueryMessage::Row(row) => {
                    let row = (0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect();
                    results.last_mut().expect("there is one").push(row);
                }
                SimpleQueryMessage::CommandComplete(_) => results.push(Vec::new()),
                _ => {}
            }
        }
        // BEGIN, SET and setval come first.
        let mut results = results.into_iter().skip(3);
        let mut returned = results.next().unwrap_or_default();
        returned.sort();
        let tables = results.take(TABLES.len()).map(|rows| {
            let mut rows: Vec<String> = rows.into_iter().flatten().flatten().collect();
            rows.sort();
            rows
        });
        Ok(Outcome { returned, tables: tables.collect() })
    }

    /// Returns the rows of the first tenant and of the second.
    async fn rows_before(&self) -> [Vec<Vec<String>>; 2] {
        let own = self.write("own", "SELECT 1").await.expect("are read").tables;
        let mut other = self.write("public", "SELECT 1").await.expect("are read").tables;
        for (rows, known) in other.iter_mut().zip(&own) {
            rows.retain(|row| known.binary_search(row).is_err());
            assert_eq!(rows.len(), known.len(), "each tenant has the same number of rows");
        }
        [own, other]
    }
}

/// The ways to name the table that is written.
const TARGETS: [&str; 10] = [
    "@",
    "@",
    "@ AS #",
    "@ #",
    "ONLY @",
    "ONLY @ AS #",
    "@ *",
    "\"@\" AS \"select\"",
    "@ AS s1",
    "@ /* it */ \"# ' -- \"",
];

impl Generator {
    pub(super) fn writing_statement(&mut self) -> String {
        let with = if self.random.percent(20) { self.writing_with() } else { self.with() };
        let (statement, _) = self.writing_one();
        format!("{with}{statement}")
    }

    /// WITH a statement that writes.
    fn writing_with(&mut self) -> String {
        let (statement, scope) = self.writing_one();
        let name = self.name("w");
        let Some((column, ty)) = self.random.pick(&scope.columns).cloned() else { return String::new() };
        let statement = statement.split(" RETURNING ").next().unwrap_or_default();
        let columns: Vec<(String, String)> = vec![(format!("{name}_0"), ty)];
        let text = format!("WITH {name} ({name}_0) AS ({statement} RETURNING {column}) ");
        self.ctes.push(Cte::from((name, columns)));
        text
    }

    /// A statement that writes, and what its RETURNING can name.
    fn writing_one(&mut self) -> (String, Scope) {
        match self.random.below(10) {
            0..5 => self.writing_update(),
            5..8 => self.writing_delete(),
            _ => self.writing_insert(),
        }
    }

    /// A table that is written, and its columns.
    fn written_table(&mut self) -> (String, Scope, Vec<(String, String)>) {
        let (table, columns) = self.table();
        let alias = self.name("t");
        let form = TARGETS[self.random.below(TARGETS.len())];
        let text = form.replace('@', table).replace('#', &alias);
        let name = match form {
            "\"@\" AS \"select\"" => "\"select\"".to_owned(),
            "@ AS s1" => "s1".to_owned(),
            _ if form.ends_with('"') => format!("\"{alias} ' -- \""),
            _ if form.contains('#') => alias,
            _ => table.to_owned(),
        };
        let columns: Vec<(String, String)> =
            columns.iter().map(|(column, ty)| ((*column).to_owned(), (*ty).to_owned())).collect();
        let named = columns.iter().map(|(column, ty)| (format!("{name}.{column}"), ty.clone())).collect();
        (text, Scope { columns: named, ..Scope::default() }, columns)
    }

    fn more_tables(&mut self, word: &str, scope: &mut Scope) -> String {
        if !self.random.percent(35) {
            return String::new();
        }
        let mut inner = Scope::default();
        let from = self.from(&Scope::default(), &mut inner);
        scope.columns.extend(inner.columns);
        if from.is_empty() { from } else { format!(" {word} {from}") }
    }

    /// WHERE with parentheses in all places, and comments that look like some.
    fn writing_condition(&mut self, scope: &Scope) -> String {
        let (a, b) = (self.condition(scope), self.condition(scope));
        match self.random.below(12) {
            0..3 => String::new(),
            3 => format!(" WHERE ({a}) OR ({b})"),
            4 => format!(" WHERE ({a} OR true)"),
            5 => format!(" WHERE(({a})OR({b}))"),
            6 => format!(" WHERE NOT ({a}) OR true"),
            7 => format!(" WHERE {a} OR {b} -- )\n"),
            8 => format!(" /* WHERE ( */ WHERE /* ' */ ({a} /* ) */) OR $b$)$b$ <> ')'"),
            _ => format!(" WHERE {a}"),
        }
    }

    fn writing_returning(&mut self, scope: &Scope) -> String {
        if self.random.percent(50) { self.returning(scope) } else { String::new() }
    }

    fn writing_update(&mut self) -> (String, Scope) {
        let (table, mut scope, columns) = self.written_table();
        let from = self.more_tables("FROM", &mut scope);
        let (column, ty) = columns[1 + self.random.below(columns.len() - 1)].clone();
        let value = self.expr(&scope, &ty, 2);
        let set = match self.random.below(4) {
            0 => format!("({column}) = (SELECT {value})"),
            1 => format!("({column}) = ROW ({value})"),
            _ => format!("{column} = {value}"),
        };
        let (filter, returning) = (self.writing_condition(&scope), self.writing_returning(&scope));
        (format!("UPDATE {table} SET {set}{from}{filter}{returning}"), scope)
    }

    fn writing_delete(&mut self) -> (String, Scope) {
        let (table, mut scope, _) = self.written_table();
        let using = self.more_tables("USING", &mut scope);
        let (filter, returning) = (self.writing_condition(&scope), self.writing_returning(&scope));
        (format!("DELETE FROM {table}{using}{filter}{returning}"), scope)
    }

    fn writing_insert(&mut self) -> (String, Scope) {
        let (table, columns) = TABLES[1];
        let alias = self.name("t");
        let (target, name) = if self.random.percent(40) {
            (format!("{table} AS {alias}"), alias)
        } else {
            (table.to_owned(), table.to_owned())
        };
        let named = columns.iter().map(|(column, ty)| (format!("{name}.{column}"), (*ty).to_owned())).collect();
        let scope = Scope { columns: named, ..Scope::default() };
        // No key, one of the first tenant, one of the second, or one that is free.
        let key = [None, None, Some("6000"), Some("2"), Some("7771")][self.random.below(5)];
        let mut chosen = vec![("label", "text")];
        chosen.extend(columns[2..].iter().filter(|(column, _)| *column != "label" && self.random.percent(30)));
        let types: Vec<String> = chosen.iter().map(|(_, ty)| (*ty).to_owned()).collect();
        let names: Vec<&str> = key.iter().map(|_| "id").chain(chosen.iter().map(|(name, _)| *name)).collect();
        let first: Vec<String> = key.iter().map(|key| (*key).to_owned()).collect();
        let source = match self.random.below(4) {
            0 if key.is_none() && self.queries > 0 => self.query_of(&Scope::default(), &types),
            0 | 1 => {
                let mut inner = Scope::default();
                let from = if key.is_none() { self.from(&Scope::default(), &mut inner) } else { String::new() };
                let values = types.iter().map(|ty| self.expr(&inner, ty, 1)).collect::<Vec<_>>();
                let items: Vec<String> = first.into_iter().chain(values).collect();
                let distinct = if self.random.percent(40) { "DISTINCT " } else { "" };
                let from = if from.is_empty() { from } else { format!("FROM {from}") };
                let (open, close) = if self.random.percent(20) { ("(", ")") } else { ("", "") };
                format!("{open}SELECT {distinct}{} {from}{close}", items.join(", "))
            }
            _ => {
                let rows = if key.is_none() { 1 + self.random.below(3) } else { 1 };
                let row = |this: &mut Self| {
                    let values = types.iter().map(|ty| match this.random.percent(10) && ty != "text" {
                        true => "DEFAULT".to_owned(),
                        false => format!("({})", this.expr(&Scope::default(), ty, 1)),
                    });
                    let values: Vec<String> = first.iter().cloned().chain(values).collect();
                    format!("({})", values.join(", "))
                };
                let rows: Vec<String> = (0..rows).map(|_| row(self)).collect();
                format!("VALUES {}", rows.join(" ,"))
            }
        };
        let conflict = match self.random.below(5) {
            0 => " ON CONFLICT DO NOTHING".to_owned(),
            1 => format!(" ON CONFLICT (id) DO UPDATE SET note = excluded.note, size = {name}.size + 1"),
            2 => {
                let condition = self.writing_condition(&scope);
                format!(" ON CONFLICT (id) WHERE true DO UPDATE SET note = excluded.label || {name}.label{condition}")
            }
            _ => String::new(),
        };
        let returning = self.writing_returning(&scope);
        (format!("INSERT INTO {target} ({}) {source}{conflict}{returning}", names.join(", ")), scope)
    }
}

/// Judges the statements of these seeds, on an empty database.
pub(super) async fn run(url: &str, seeds: std::ops::Range<u64>) -> Tally {
    let judge = Judge::new(url).await;
    let before = judge.rows_before().await;
    let mut tally = Tally::default();
    for seed in seeds {
        let name = format!("RELATA_QUERIES_SEED={seed}");
        judge.judge_write(&name, &Generator::writing(seed), &before, &mut tally).await;
    }
    tally
}

/// Judges statements that are hard to take apart, each of which is confined.
pub(super) async fn run_by_hand(url: &str) -> Tally {
    let judge = Judge::new(url).await;
    let before = judge.rows_before().await;
    let mut tally = Tally::default();
    for (at, sql) in by_hand::STATEMENTS.iter().enumerate() {
        let confined = tally.confined;
        judge.judge_write(&format!("statement {at}"), sql, &before, &mut tally).await;
        if tally.confined == confined {
            tally.failures.push(format!("statement {at} is not confined: {sql}"));
        }
    }
    for sql in by_hand::OPEN {
        let checked = check(&judge.schema, &Sources::single("q.sql", *sql));
        if checked.queries.iter().any(|query| query.confinement != Confinement::None) {
            tally.failures.push(format!("is confined: {sql}"));
        }
    }
    tally
}
