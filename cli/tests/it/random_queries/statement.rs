//! Random statements around the expressions.

use super::Generator;
use super::expression::Scope;
use super::world::{ELEMENTS, READ, TABLES, Table};

/// What WITH has defined: a name, and its columns.
pub(super) type Cte = (String, Vec<(String, String)>);

impl Generator {
    /// A statement of any kind.
    pub(super) fn statement(&mut self) -> String {
        let with = self.with();
        let statement = match self.random.below(100) {
            0..78 => {
                let types = self.types();
                let query = self.query(&Scope::default(), &types, true);
                self.locked(query)
            }
            78..86 => self.insert(),
            86..94 => self.update(),
            _ => self.delete(),
        };
        format!("{with}{statement}")
    }

    pub(super) fn types(&mut self) -> Vec<String> {
        (0..1 + self.random.below(4)).map(|_| self.random.pick(&READ).copied().unwrap_or("int4").to_owned()).collect()
    }

    fn locked(&mut self, query: String) -> String {
        let is_plain =
            !["UNION", "GROUP", "DISTINCT", "INTERSECT", "EXCEPT", "OVER"].iter().any(|word| query.contains(word));
        if is_plain && self.random.percent(3) { format!("{query} FOR UPDATE SKIP LOCKED") } else { query }
    }

    pub(super) fn with(&mut self) -> String {
        if !self.random.percent(22) {
            return String::new();
        }
        let types = self.types();
        let name = self.name("w");
        let columns: Vec<(String, String)> =
            types.iter().enumerate().map(|(at, ty)| (format!("{name}_{at}"), ty.clone())).collect();
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(", ");
        let text = if self.random.percent(30) {
            let first = self.query(&Scope::default(), &types, false);
            let scope = Scope { columns: columns.clone(), ..Scope::default() };
            let next: Vec<String> = types.iter().map(|ty| self.expr(&scope, ty, 1)).collect();
            let all = if self.random.percent(50) { "" } else { " ALL" };
            let join = if self.random.percent(50) { "" } else { " LEFT JOIN node ON node.id = 1" };
            // Bounded, as it might go on for ever.
            let limit = self.random.below(3);
            format!(
                "WITH RECURSIVE {name} ({names}) AS (({first} LIMIT 2) UNION{all} SELECT {} FROM {name}{join} WHERE \
                 random() < 0.{limit}) ",
                next.join(", ")
            )
        } else if self.random.percent(15) {
            let types: Vec<String> = vec!["int4".to_owned(), "text".to_owned()];
            let columns = types.iter().enumerate().map(|(at, ty)| (format!("{name}_{at}"), ty.clone())).collect();
            self.ctes.push((name.clone(), columns));
            return format!("WITH {name} ({name}_0, {name}_1) AS (UPDATE node SET note = label RETURNING wide, note) ");
        } else {
            let query = self.query(&Scope::default(), &types, false);
            format!("WITH {name} ({names}) AS ({query}) ")
        };
        self.ctes.push((name, columns));
        text
    }

    pub(super) fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    /// A query inside an expression.
    pub(super) fn query_of(&mut self, around: &Scope, types: &[String]) -> String {
        self.queries -= 1;
        let (ctes, outer) = (self.ctes.len(), around.rows_for_inside());
        let query = self.query(&outer, types, false);
        self.ctes.truncate(ctes);
        query
    }

    /// SELECT, VALUES, or several of them, with columns of these types.
    pub(super) fn query(&mut self, around: &Scope, types: &[String], named: bool) -> String {
        if self.queries > 0 && self.random.percent(10) {
            self.queries -= 1;
            let (left, right) = (self.select(around, types, named, true), self.select(around, types, named, true));
            let operator = ["UNION", "UNION ALL", "EXCEPT", "INTERSECT ALL"][self.random.below(4)];
            return format!("{left} {operator} {right}{}", self.limit());
        }
        if self.random.percent(2) {
            let row: Vec<String> = types.iter().map(|ty| self.expr(around, ty, 0)).collect();
            return format!("VALUES ({})", row.join(", "));
        }
        self.select(around, types, named, false)
    }

    fn limit(&mut self) -> String {
        match self.random.below(20) {
            0 => " LIMIT 2".to_owned(),
            1 => " LIMIT 0".to_owned(),
            2 => " OFFSET 1".to_owned(),
            3 => " FETCH FIRST 1 ROW ONLY".to_owned(),
            4 => " FETCH FIRST 0 ROWS ONLY".to_owned(),
            _ => String::new(),
        }
    }

    fn select(&mut self, around: &Scope, types: &[String], named: bool, is_part: bool) -> String {
        let mut scope = Scope::default();
        let from = self.from(around, &mut scope);
        let mut text = String::new();
        if !from.is_empty() {
            text.push_str(&format!(" FROM {from}"));
        }
        scope.columns.extend(around.columns.iter().cloned());
        if !from.is_empty() && self.random.percent(45) {
            text.push_str(&format!(" WHERE {}", self.condition(&scope)));
        }
        let mut having = String::new();
        if !from.is_empty() && self.random.percent(30) {
            let grouping = self.grouping(&mut scope);
            text.push_str(&grouping);
            if self.random.percent(15) {
                let inner = Scope { aggregates: true, ..scope.clone() };
                having = format!(" HAVING {}", self.expr(&inner, "bool", 1));
            }
        }
        scope.aggregates = scope.grouped.is_some();
        scope.windows = self.random.percent(25);
        scope.sets = !is_part && self.random.percent(20);
        if scope.windows && self.random.percent(25) {
            scope.named_windows.push("win");
        }
        let items: Vec<String> = types.iter().enumerate().map(|(at, ty)| self.item(&scope, ty, at, named)).collect();
        text.push_str(&having);
        if !scope.named_windows.is_empty() {
            let frame = if self.random.percent(50) { " ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING" } else { "" };
            text.push_str(&format!(" WINDOW win AS (ORDER BY {}{frame})", self.leaf(&scope.plain(), "int4")));
        }
        let distinct = if self.random.percent(6) { "DISTINCT " } else { "" };
        if !is_part {
            if distinct.is_empty() && self.random.percent(15) {
                let order = self.operator_of(&Scope { sets: false, ..scope.clone() }, "text");
                text.push_str(&format!(" ORDER BY {order} DESC NULLS LAST"));
            }
            let limit = self.limit();
            text.push_str(&limit);
        }
        format!("SELECT {distinct}{}{text}", items.join(", "))
    }

    fn item(&mut self, scope: &Scope, ty: &str, at: usize, named: bool) -> String {
        let expr = self.expr(scope, ty, self.depth);
        if named || self.random.percent(30) { format!("{expr} AS c{at}") } else { expr }
    }

    /// Conditions keep nulls away, or seem to.
    pub(super) fn condition(&mut self, scope: &Scope) -> String {
        let parts: Vec<String> = (0..1 + self.random.below(2))
            .map(|_| match scope.columns.is_empty() {
                false if self.random.percent(55) => {
                    let (column, ty) = scope.columns[self.random.below(scope.columns.len())].clone();
                    let other = self.leaf(&Scope::default(), &ty);
                    let list = format!("{}::{ty}[]", self.literal(&format!("{ty}[]")));
                    match (self.random.below(8), ty.as_str()) {
                        (0..3, _) | (_, "json" | "jsonb") => format!("{column} IS NOT NULL"),
                        (3, _) => format!("{column} = {other}"),
                        (4, _) => format!("{column} <> {other}"),
                        (5, ty) if !ty.ends_with("[]") => format!("{column} <> ALL ({list})"),
                        (6, ty) if !ty.ends_with("[]") => format!("{column} = ANY ({list})"),
                        (7, ty) if !ty.ends_with("[]") => format!("{column} NOT IN ({other}, {other})"),
                        _ => format!("{column} IS NOT NULL"),
                    }
                }
                _ => self.expr(scope, "bool", 1),
            })
            .collect();
        parts.join(if self.random.percent(80) { " AND " } else { " OR " })
    }

    /// GROUP BY of any kind, or aggregates over all rows.
    fn grouping(&mut self, scope: &mut Scope) -> String {
        let mut grouped: Vec<(String, String)> = Vec::new();
        if self.by_keys && self.random.percent(40) {
            let ids: Vec<String> =
                scope.columns.iter().filter_map(|(name, _)| name.strip_suffix(".id")).map(str::to_owned).collect();
            if let Some(table) = self.random.pick(&ids).cloned() {
                let of_table = scope.columns.iter().filter(|(name, _)| name.starts_with(&format!("{table}.")));
                scope.grouped = Some(of_table.cloned().collect());
                return format!(" GROUP BY {table}.id");
            }
        }
        if !scope.columns.is_empty() && self.random.percent(80) {
            for _ in 0..1 + self.random.below(2) {
                let (column, ty) = scope.columns[self.random.below(scope.columns.len())].clone();
                if matches!(ty.as_str(), "json" | "json[]") {
                    continue;
                }
                grouped.push(match (self.random.below(8), ty.as_str()) {
                    (0, "int4") => (format!("({column} + 1)"), "int4".to_owned()),
                    (1, "text") => (format!("COALESCE({column}, 'none')"), "text".to_owned()),
                    (2, "timestamptz") => (format!("date_trunc('day', {column})"), "timestamptz".to_owned()),
                    _ => (column, ty),
                });
            }
        }
        let texts: Vec<String> = grouped.iter().map(|(text, _)| text.clone()).collect();
        scope.grouped = Some(grouped);
        let all = texts.join(", ");
        match (texts.as_slice(), self.random.below(10)) {
            ([], _) => String::new(),
            (_, 0) => format!(" GROUP BY ROLLUP ({all})"),
            (_, 1) => format!(" GROUP BY CUBE ({all})"),
            ([one], 2) => format!(" GROUP BY GROUPING SETS (({one}), ())"),
            ([one, two], 2) => format!(" GROUP BY GROUPING SETS (({one}), ({two}, {one}))"),
            ([one, two], 3) => format!(" GROUP BY {one}, ROLLUP ({two})"),
            _ => format!(" GROUP BY {all}"),
        }
    }

    pub(super) fn from(&mut self, around: &Scope, scope: &mut Scope) -> String {
        if self.random.percent(12) {
            return String::new();
        }
        let mut text = self.relation(around, scope);
        for _ in 0..[0, 0, 1, 1, 2][self.random.below(5)] {
            let kind = ["JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", ","]
                [self.random.below(8)];
            let inner = Scope { columns: scope.columns.clone(), ..Scope::default() };
            let lateral = matches!(kind, "JOIN" | "LEFT JOIN" | "CROSS JOIN" | ",") && self.random.percent(15);
            let before = scope.columns.len();
            let relation = match lateral && self.queries > 0 {
                true => format!("LATERAL {}", self.derived(&inner, scope)),
                false => self.relation(around, scope),
            };
            let on = match kind {
                "CROSS JOIN" | "," => String::new(),
                "FULL JOIN" => {
                    let left =
                        scope.columns[..before].iter().find(|(_, ty)| ty == "int4").map(|(name, _)| name.clone());
                    let right =
                        scope.columns[before..].iter().find(|(_, ty)| ty == "int4").map(|(name, _)| name.clone());
                    match (left, right) {
                        (Some(left), Some(right)) => format!(" ON {left} = {right}"),
                        _ => " ON true".to_owned(),
                    }
                }
                _ if self.random.percent(20) => " ON true".to_owned(),
                _ => {
                    let inner = Scope { columns: scope.columns.clone(), ..Scope::default() };
                    format!(" ON {}", self.condition(&inner))
                }
            };
            text = format!("{text}{}{kind} {relation}{on}", if kind == "," { "" } else { " " });
        }
        text
    }

    fn relation(&mut self, around: &Scope, scope: &mut Scope) -> String {
        match self.random.below(100) {
            0..12 if self.queries > 0 => self.derived(around, scope),
            12..24 => self.set(around, scope),
            24..32 => self.merged(scope),
            32..38 => {
                let alias = self.name("v");
                let ty = self.random.pick(&ELEMENTS).copied().unwrap_or("int4");
                let rows: Vec<String> =
                    (0..1 + self.random.below(2)).map(|_| format!("({}, 1)", self.expr(around, ty, 1))).collect();
                scope.columns.push((format!("{alias}.p"), ty.to_owned()));
                scope.columns.push((format!("{alias}.q"), "int4".to_owned()));
                format!("(VALUES {}) AS {alias} (p, q)", rows.join(", "))
            }
            38..50 if !self.ctes.is_empty() => {
                let (name, columns) = self.ctes[self.random.below(self.ctes.len())].clone();
                let alias = self.name("t");
                scope.columns.extend(columns.iter().map(|(column, ty)| (format!("{alias}.{column}"), ty.clone())));
                format!("{name} AS {alias}")
            }
            _ => {
                let (table, columns) = self.table();
                let alias = self.name("t");
                scope
                    .columns
                    .extend(columns.iter().map(|(column, ty)| (format!("{alias}.{column}"), (*ty).to_owned())));
                format!("{table} {alias}")
            }
        }
    }

    pub(super) fn table(&mut self) -> Table {
        self.random.pick(&TABLES).copied().unwrap_or(TABLES[0])
    }

    fn derived(&mut self, around: &Scope, scope: &mut Scope) -> String {
        let types = self.types();
        let query = self.query_of(around, &types);
        let alias = self.name("q");
        let names: Vec<String> = (0..types.len()).map(|at| format!("n{at}")).collect();
        scope.columns.extend(names.iter().zip(&types).map(|(name, ty)| (format!("{alias}.{name}"), ty.clone())));
        format!("({query}) AS {alias} ({})", names.join(", "))
    }

    /// Joins by USING, alone or in brackets with a name.
    fn merged(&mut self, scope: &mut Scope) -> String {
        let kind = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"][self.random.below(4)];
        let outer = ["LEFT JOIN", "RIGHT JOIN", "FULL JOIN"][self.random.below(3)];
        let (a, b, c) = (self.name("t"), self.name("t"), self.name("t"));
        let base = format!("node AS {a} {kind} link AS {b} USING (id)");
        match self.random.below(3) {
            0 => {
                let alias = self.name("j");
                scope.columns.push((format!("{alias}.label"), "text".to_owned()));
                scope.columns.push((format!("{alias}.id"), "int4".to_owned()));
                scope.columns.push((format!("{alias}.at"), "timestamptz".to_owned()));
                format!("({base}) AS {alias}")
            }
            1 => {
                scope.columns.push((format!("{a}.label"), "text".to_owned()));
                scope.columns.push((format!("{b}.at"), "timestamptz".to_owned()));
                base
            }
            _ => {
                scope.columns.push((format!("{a}.label"), "text".to_owned()));
                scope.columns.push((format!("{b}.a"), "int4".to_owned()));
                scope.columns.push((format!("{c}.t"), "text".to_owned()));
                format!("({base} {outer} wide AS {c} ON {c}.i = {b}.a)")
            }
        }
    }

    /// Functions in FROM.
    fn set(&mut self, around: &Scope, scope: &mut Scope) -> String {
        let alias = self.name("f");
        let ordinality = if self.random.percent(25) { " WITH ORDINALITY" } else { "" };
        let mut columns: Vec<(&str, String)> = Vec::new();
        let text = match self.random.below(6) {
            0 => {
                let types = [*self.random.pick(&ELEMENTS).unwrap_or(&"int4"), "text"];
                let lists: Vec<String> = types.iter().map(|ty| self.expr(around, &format!("{ty}[]"), 1)).collect();
                columns = vec![("x", types[0].to_owned()), ("y", types[1].to_owned())];
                format!("unnest({})", lists.join(", "))
            }
            1 => {
                columns = vec![("x", "int4".to_owned()), ("y", "text".to_owned())];
                let list = self.expr(around, "text[]", 1);
                format!("ROWS FROM (generate_series(1, 2), unnest({list}))")
            }
            2 => {
                columns = vec![("x", "text".to_owned()), ("y", "jsonb".to_owned())];
                format!("jsonb_each({})", self.expr(around, "jsonb", 1))
            }
            3 => {
                columns = vec![("x", "text".to_owned())];
                format!("jsonb_array_elements_text({})", self.expr(around, "jsonb", 1))
            }
            4 => {
                columns.push(("x", "int4".to_owned()));
                format!("generate_series({}, 2)", self.expr(around, "int4", 1))
            }
            _ => {
                let ty = self.random.pick(&ELEMENTS).copied().unwrap_or("int4");
                columns.push(("x", ty.to_owned()));
                format!("unnest({})", self.expr(around, &format!("{ty}[]"), 1))
            }
        };
        if !ordinality.is_empty() {
            columns.push(("o", "int8".to_owned()));
        }
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        scope.columns.extend(columns.iter().map(|(name, ty)| (format!("{alias}.{name}"), ty.clone())));
        format!("{text}{ordinality} AS {alias} ({})", names.join(", "))
    }

    pub(super) fn returning(&mut self, scope: &Scope) -> String {
        let types = self.types();
        let items: Vec<String> = types.iter().enumerate().map(|(at, ty)| self.item(scope, ty, at, true)).collect();
        format!(" RETURNING {}", items.join(", "))
    }

    fn target(&mut self, table: Table) -> Scope {
        let (name, columns) = table;
        Scope {
            columns: columns.iter().map(|(column, ty)| (format!("{name}.{column}"), (*ty).to_owned())).collect(),
            ..Scope::default()
        }
    }

    fn insert(&mut self) -> String {
        let label = self.expr(&Scope::default(), "text", 1);
        let (note, mood) = (self.expr(&Scope::default(), "text", 1), self.expr(&Scope::default(), "mood", 0));
        let tags = self.expr(&Scope::default(), "text[]", 0);
        let scope = self.target(TABLES[1]);
        let conflict = match self.random.below(4) {
            0 => " ON CONFLICT DO NOTHING".to_owned(),
            1 => " ON CONFLICT (id) DO UPDATE SET note = excluded.note, size = node.size + 1".to_owned(),
            _ => String::new(),
        };
        let returning = self.returning(&scope);
        let source = match self.random.below(3) {
            0 if self.queries > 0 => {
                let types = ["text", "text", "mood", "text[]"].map(str::to_owned);
                self.query_of(&Scope::default(), &types)
            }
            1 => "SELECT * FROM unnest($901::text[], $902::text[], $903::mood[]) AS n (label, note, mood), (SELECT '{}'::text[]) AS l (tags)"
                .to_owned(),
            _ => format!("VALUES ({label}, {note}, {mood}, {tags})"),
        };
        format!("INSERT INTO node (label, note, mood, tags) {source}{conflict}{returning}")
    }

    fn update(&mut self) -> String {
        let table = self.table();
        let mut scope = self.target(table);
        let mut inner = Scope::default();
        let from = if self.random.percent(40) { self.from(&Scope::default(), &mut inner) } else { String::new() };
        scope.columns.extend(inner.columns);
        let (column, ty) = *self.random.pick(&table.1[1..]).unwrap_or(&table.1[0]);
        let value = self.expr(&scope, ty, 2);
        let from = if from.is_empty() { String::new() } else { format!(" FROM {from}") };
        let filter = if self.random.percent(70) { format!(" WHERE {}", self.condition(&scope)) } else { String::new() };
        let returning = self.returning(&scope);
        format!("UPDATE {} SET {column} = {value}{from}{filter}{returning}", table.0)
    }

    fn delete(&mut self) -> String {
        let table = self.table();
        let mut scope = self.target(table);
        let mut inner = Scope::default();
        let using = if self.random.percent(40) { self.from(&Scope::default(), &mut inner) } else { String::new() };
        scope.columns.extend(inner.columns);
        let using = if using.is_empty() { String::new() } else { format!(" USING {using}") };
        let filter = if self.random.percent(70) { format!(" WHERE {}", self.condition(&scope)) } else { String::new() };
        let returning = self.returning(&scope);
        format!("DELETE FROM {}{using}{filter}{returning}", table.0)
    }
}

impl Scope {
    fn rows_for_inside(&self) -> Self {
        Self { columns: self.columns.clone(), ..Self::default() }
    }
}
