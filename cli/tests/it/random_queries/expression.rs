//! Random expressions of a wanted type.

use super::Generator;
use super::world::{ELEMENTS, FAMILIES, values};

/// What can be named where an expression stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// Columns and their types, as they are written there.
    pub(super) columns: Vec<(String, String)>,
    /// What is grouped by, if something is: all else is aggregated.
    pub(super) grouped: Option<Vec<(String, String)>>,
    /// Aggregates, windows or functions that give rows are allowed.
    pub(super) aggregates: bool,
    pub(super) windows: bool,
    pub(super) sets: bool,
    /// The windows of WINDOW.
    pub(super) named_windows: Vec<&'static str>,
}

impl Scope {
    /// The same without aggregates and the like, as they do not stand inside one another.
    pub(super) fn plain(&self) -> Self {
        Self { aggregates: false, windows: false, sets: false, ..self.clone() }
    }

    /// The rows that an aggregate goes over.
    fn rows(&self) -> Self {
        Self { grouped: None, ..self.plain() }
    }
}

fn fill(template: &str, parts: &[String]) -> String {
    let mut text = String::new();
    for (at, piece) in template.split('@').enumerate() {
        if at > 0 {
            text.push_str(parts.get(at - 1).map_or("NULL", String::as_str));
        }
        text.push_str(piece);
    }
    text
}

/// Operators: the type that comes out, `@` for each operand, and the operands' types.
const OPERATORS: &[(&str, &str, &[&str])] = &[
    ("bool", "(@ = @)", &["elem", "elem"]),
    ("bool", "(@ <> @)", &["elem", "elem"]),
    ("bool", "(@ < @)", &["order", "order"]),
    ("bool", "(@ >= @)", &["order", "order"]),
    ("bool", "(@ IS NULL)", &["elem"]),
    ("bool", "(@ IS NOT NULL)", &["elem"]),
    ("bool", "(@ IS DISTINCT FROM @)", &["elem", "elem"]),
    ("bool", "(@ IS NOT DISTINCT FROM @)", &["elem", "elem"]),
    ("bool", "(@ BETWEEN @ AND @)", &["order", "order", "order"]),
    ("bool", "(@ NOT BETWEEN @ AND @)", &["order", "order", "order"]),
    ("bool", "(@ IN (@, @))", &["elem", "elem", "elem"]),
    ("bool", "(@ NOT IN (@, @))", &["elem", "elem", "elem"]),
    ("bool", "(@ = ANY (@))", &["elem", "list"]),
    ("bool", "(@ <> ALL (@))", &["elem", "list"]),
    ("bool", "(@ < SOME (@))", &["elem", "list"]),
    ("bool", "(@ AND @)", &["bool", "bool"]),
    ("bool", "(@ OR @)", &["bool", "bool"]),
    ("bool", "(NOT @)", &["bool"]),
    ("bool", "(@ IS TRUE)", &["bool"]),
    ("bool", "(@ IS NOT FALSE)", &["bool"]),
    ("bool", "(@ IS UNKNOWN)", &["bool"]),
    ("bool", "(@ LIKE @)", &["text", "text"]),
    ("bool", "(@ NOT ILIKE @)", &["text", "text"]),
    ("bool", "(@ LIKE @ ESCAPE '!')", &["text", "text"]),
    ("bool", "(@ SIMILAR TO @)", &["text", "text"]),
    ("bool", "(@ LIKE ANY (@))", &["text", "text[]"]),
    ("bool", "(@ ~ @)", &["text", "text"]),
    ("bool", "(@ !~* @)", &["text", "text"]),
    ("bool", "(@ && @)", &["list", "list"]),
    ("bool", "(@ @> @)", &["list", "list"]),
    ("bool", "(@ <@ @)", &["jsonb", "jsonb"]),
    ("bool", "(@ ? @)", &["jsonb", "text"]),
    ("bool", "(@ ?| @)", &["jsonb", "text[]"]),
    ("bool", "(@ IS NORMALIZED)", &["text"]),
    ("bool", "((@, @) = (@, @))", &["elem", "text", "elem", "text"]),
    ("bool", "((@, @) < (@, @))", &["order", "int4", "order", "int4"]),
    ("bool", "((@, @) IN ((@, @)))", &["elem", "int4", "elem", "int4"]),
    ("text", "(@ || @)", &["text", "text"]),
    ("text", "(@ || @)", &["text", "elem"]),
    ("text", "(@ || @)", &["int4", "text"]),
    ("text", "(@ ->> @)", &["jsonb", "text"]),
    ("text", "(@ ->> @)", &["json", "int4"]),
    ("text", "(@ #>> @)", &["jsonb", "text[]"]),
    ("text", "(@ COLLATE \"C\")", &["text"]),
    ("text", "substring(@ FROM @ FOR @)", &["text", "int4", "int4"]),
    ("text", "substring(@ FOR @)", &["text", "int4"]),
    ("text", "substring(@ FROM @)", &["text", "text"]),
    ("text", "trim(both @ from @)", &["text", "text"]),
    ("text", "trim(@)", &["text"]),
    ("text", "overlay(@ placing @ from @)", &["text", "text", "int4"]),
    ("bytea", "substring(@ FROM @)", &["bytea", "int4"]),
    ("bytea", "(@ || @)", &["bytea", "bytea"]),
    ("int4", "position(@ IN @)", &["text", "text"]),
    ("int4", "(@ - @)", &["date", "date"]),
    ("int4", "(@ & @)", &["int4", "int4"]),
    ("int4", "(@ << @)", &["int4", "int4"]),
    ("int4", "(~ @)", &["int4"]),
    ("numeric", "(@ ^ @)", &["numeric", "numeric"]),
    ("float8", "(@ ^ @)", &["float8", "float8"]),
    ("float8", "(|/ @)", &["float8"]),
    ("numeric", "extract(year FROM @)", &["timestamptz"]),
    ("numeric", "extract(epoch FROM @)", &["interval"]),
    ("numeric", "extract(hour FROM @)", &["time"]),
    ("date", "(@ + @)", &["date", "int4"]),
    ("timestamp", "(@ + @)", &["timestamp", "interval"]),
    ("timestamp", "(@ - @)", &["date", "interval"]),
    ("timestamp", "(@ + @)", &["date", "time"]),
    ("timestamp", "(@ AT TIME ZONE 'UTC')", &["timestamptz"]),
    ("timestamptz", "(@ AT TIME ZONE @)", &["timestamp", "text"]),
    ("timestamptz", "(@ - @)", &["timestamptz", "interval"]),
    ("timestamptz", "current_timestamp", &[]),
    ("date", "current_date", &[]),
    ("time", "(@ + @)", &["time", "interval"]),
    ("interval", "(@ - @)", &["timestamptz", "timestamptz"]),
    ("interval", "(@ * @)", &["interval", "float8"]),
    ("interval", "(@ - @)", &["time", "time"]),
    ("interval", "(interval '1 day')", &[]),
    ("jsonb", "(@ -> @)", &["jsonb", "text"]),
    ("jsonb", "(@ || @)", &["jsonb", "jsonb"]),
    ("jsonb", "(@ - @)", &["jsonb", "text"]),
    ("jsonb", "(@ #- @)", &["jsonb", "text[]"]),
    ("jsonb", "(@)[@]", &["jsonb", "text"]),
    ("json", "(@ -> @)", &["json", "text"]),
    ("json", "(@ #> @)", &["json", "text[]"]),
    ("tsvector", "to_tsvector('english', @)", &["text"]),
];

const FRAMES: [&str; 5] = [
    "",
    "",
    " ROWS BETWEEN 1 PRECEDING AND CURRENT ROW",
    " ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING",
    " ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW",
];

impl Generator {
    /// An expression of a type, or of one that turns into it.
    pub(super) fn expr(&mut self, scope: &Scope, ty: &str, depth: usize) -> String {
        let ty = self.near(ty);
        if depth == 0 || self.random.percent(25) {
            return self.leaf(scope, &ty);
        }
        match self.random.below(100) {
            0..30 => self.operator(scope, &ty, depth),
            30..62 => self.function(scope, &ty, depth),
            62..70 => self.choice(scope, &ty, depth),
            70..76 => self.cast(scope, &ty, depth),
            76..84 if self.queries > 0 => self.subquery(scope, &ty),
            84..92 => match ty.strip_suffix("[]") {
                Some(element) => self.list(scope, element, depth),
                None => self.element(scope, &ty, depth),
            },
            _ => self.leaf(scope, &ty),
        }
    }

    /// Now and then another type that turns into it.
    fn near(&mut self, ty: &str) -> String {
        let family = FAMILIES.iter().find(|family| family.contains(&ty)).filter(|_| self.random.percent(12));
        let narrower = family.map(|family| match family.iter().position(|known| *known == ty) {
            Some(at) if !family.contains(&"text") => &family[..=at],
            _ => family,
        });
        narrower.and_then(|family| self.random.pick(family)).map_or_else(|| ty.to_owned(), |near| (*near).to_owned())
    }

    pub(super) fn leaf(&mut self, scope: &Scope, ty: &str) -> String {
        let of_type = |columns: &[(String, String)]| -> Vec<String> {
            columns.iter().filter(|(_, known)| known == ty).map(|(name, _)| name.clone()).collect()
        };
        let columns = of_type(scope.grouped.as_ref().unwrap_or(&scope.columns));
        match self.random.below(100) {
            0..65 if !columns.is_empty() => columns[self.random.below(columns.len())].clone(),
            65..75 => self.param(ty),
            75..79 => format!("NULL::{ty}"),
            79..81 => "NULL".to_owned(),
            81..93 => {
                let value = self.literal(ty);
                if matches!(ty, "int4" | "numeric") { value.trim_matches('\'').to_owned() } else { value }
            }
            _ => format!("{}::{ty}", self.literal(ty)),
        }
    }

    pub(super) fn literal(&mut self, ty: &str) -> String {
        let value = self.random.pick(values(ty)).copied().unwrap_or("{}");
        format!("'{value}'")
    }

    fn param(&mut self, ty: &str) -> String {
        if self.params.is_empty() || !self.random.percent(25) {
            self.params.push(ty.to_owned());
        }
        let number = match self.random.percent(70) {
            true => self.params.len(),
            false => self.params.iter().position(|known| known == ty).map_or(self.params.len(), |at| at + 1),
        };
        if self.random.percent(30) { format!("${number}::{ty}") } else { format!("${number}") }
    }

    /// What `elem`, `order` and `list` stand for in one call.
    fn meant(&mut self, slot: &str, element: &str) -> String {
        match slot {
            "elem" | "any" | "order" => element.to_owned(),
            "list" => format!("{element}[]"),
            "enum" => "mood".to_owned(),
            slot => slot.to_owned(),
        }
    }

    /// What is no constant.
    pub(super) fn operator_of(&mut self, scope: &Scope, ty: &str) -> String {
        let leaf = self.leaf(scope, ty);
        format!("({leaf} || '.')")
    }

    fn operator(&mut self, scope: &Scope, ty: &str, depth: usize) -> String {
        if matches!(ty, "int2" | "int4" | "int8" | "float4" | "float8" | "numeric") && self.random.percent(60) {
            let signs: &[&str] =
                if ty.starts_with("float") { &["+", "-", "*", "/"] } else { &["+", "-", "*", "/", "%"] };
            let sign = self.random.pick(signs).copied().unwrap_or("+");
            return format!("({} {sign} {})", self.expr(scope, ty, depth - 1), self.expr(scope, ty, depth - 1));
        }
        if ty.ends_with("[]") {
            let (left, right) = match self.random.below(3) {
                0 => (ty, ty),
                1 => (ty, ty.trim_end_matches("[]")),
                _ => (ty.trim_end_matches("[]"), ty),
            };
            return format!("({} || {})", self.expr(scope, left, depth - 1), self.expr(scope, right, depth - 1));
        }
        let fitting: Vec<_> = OPERATORS.iter().filter(|(result, ..)| *result == ty).collect();
        let Some((_, template, operands)) = self.random.pick(&fitting) else { return self.leaf(scope, ty) };
        let element = self.random.pick(&ELEMENTS).copied().unwrap_or("int4");
        let element = if element == "jsonb" && operands.contains(&"list") { "text" } else { element };
        let parts: Vec<String> = operands
            .iter()
            .map(|operand| {
                let ty = self.meant(operand, element);
                self.expr(scope, &ty, depth - 1)
            })
            .collect();
        // `@` of an operator is not the place of an operand.
        let template = template.replace("@>", "\u{1}").replace("<@", "\u{2}");
        fill(&template, &parts).replace('\u{1}', "@>").replace('\u{2}', "<@")
    }

    fn function(&mut self, scope: &Scope, ty: &str, depth: usize) -> String {
        let list = ty.ends_with("[]");
        let fitting: Vec<usize> = (0..self.signatures.len())
            .filter(|at| {
                let known = &self.signatures[*at];
                let kind = match known.kind {
                    "aggregate" => scope.aggregates,
                    "window" => scope.windows,
                    "set" => scope.sets && known.columns.len() < 2,
                    _ => true,
                };
                let result = match known.result {
                    "elem" => !list && known.args != ["enum"] || ty == "mood",
                    "list" => list,
                    result => result == ty,
                };
                // Calls with a syntax of their own are among the operators.
                kind && result && !known.args.contains(&"other") && known.name != "position"
            })
            .collect();
        let of_rows: Vec<usize> = fitting.iter().copied().filter(|at| self.signatures[*at].kind != "plain").collect();
        let fitting = if of_rows.is_empty() || self.random.percent(45) { fitting } else { of_rows };
        let Some(at) = self.random.pick(&fitting).copied() else { return self.choice(scope, ty, depth) };
        let signature = self.signatures[at].clone();
        let element = match signature.result {
            "elem" => ty,
            "list" => ty.trim_end_matches("[]"),
            _ => self.random.pick(&ELEMENTS).copied().unwrap_or("int4"),
        };
        let mut args: Vec<&str> = signature.args.clone();
        if signature.variadic {
            let last = args[args.len() - 1];
            args.extend(std::iter::repeat_n(last, self.random.below(3)));
        }
        let is_window =
            signature.kind == "window" || signature.kind == "aggregate" && scope.windows && self.random.percent(35);
        let inner = if signature.kind == "aggregate" && !is_window { scope.rows() } else { scope.plain() };
        let mut args: Vec<String> = args
            .into_iter()
            .map(|slot| {
                let ty = self.meant(slot, element);
                self.expr(&inner, &ty, depth - 1)
            })
            .collect();
        let within = signature.within.then(|| args.pop().unwrap_or_default());
        let name = signature.name;
        let args = args.join(", ");
        let mut text = match name {
            "count" if args.is_empty() => "count(*)".to_owned(),
            "extract" => format!("extract(day FROM {})", args.split_once(", ").map_or("now()", |(_, of)| of)),
            _ => format!("{name}({args})"),
        };
        if signature.kind == "aggregate" && signature.args.len() == 1 && !signature.within && self.random.percent(10) {
            text = text.replacen('(', "(DISTINCT ", 1).replace("(DISTINCT *)", "(*)");
        }
        if let Some(within) = within {
            text = format!("{text} WITHIN GROUP (ORDER BY {within})");
        }
        if signature.kind == "aggregate" && self.random.percent(15) {
            let filter = self.expr(&inner, "bool", 1);
            text = format!("{text} FILTER (WHERE {filter})");
        }
        if is_window && !signature.within {
            text =
                format!("{text} OVER {}", self.window(scope, signature.kind == "aggregate" || name.contains("value")));
        }
        text
    }

    fn window(&mut self, scope: &Scope, framed: bool) -> String {
        if let (true, Some(name)) = (self.random.percent(25), self.random.pick(&scope.named_windows)) {
            return (*name).to_owned();
        }
        let plain = scope.plain();
        let mut text = String::from("(");
        if self.random.percent(40) {
            text.push_str(&format!("PARTITION BY {} ", self.expr(&plain, "int4", 1)));
        }
        text.push_str(&format!("ORDER BY {}", self.expr(&plain, "text", 1)));
        if framed {
            text.push_str(self.random.pick(&FRAMES).copied().unwrap_or_default());
        }
        text.push(')');
        text
    }

    /// CASE, COALESCE and the like.
    pub(super) fn choice(&mut self, scope: &Scope, ty: &str, depth: usize) -> String {
        let depth = depth.saturating_sub(1);
        // Functions that give rows do not stand inside a choice.
        let scope = &Scope { sets: false, ..scope.clone() };
        let (a, b) = (self.expr(scope, ty, depth), self.expr(scope, ty, depth));
        match self.random.below(6) {
            0 => format!("COALESCE({a}, {b})"),
            1 => format!("NULLIF({a}, {b})"),
            2 => format!("GREATEST({a}, {b})"),
            3 => {
                let (operand, when) = (self.expr(scope, "int4", depth), self.expr(scope, "int4", depth));
                format!("CASE {operand} WHEN {when} THEN {a} ELSE {b} END")
            }
            4 => format!("CASE WHEN {} THEN {a} END", self.expr(scope, "bool", depth)),
            _ => format!("CASE WHEN {} THEN {a} ELSE {b} END", self.expr(scope, "bool", depth)),
        }
    }

    fn cast(&mut self, scope: &Scope, ty: &str, depth: usize) -> String {
        let from = match ty {
            "text" | "varchar" => self.random.pick(&ELEMENTS).copied().unwrap_or("int4"),
            "int2" | "int4" | "int8" => ["numeric", "float8", "int8", "text"][self.random.below(4)],
            "numeric" | "float8" | "float4" => ["int4", "numeric", "text"][self.random.below(3)],
            "date" | "timestamp" => "timestamptz",
            "timestamptz" => "date",
            "jsonb" => ["json", "text"][self.random.below(2)],
            "json" => "jsonb",
            _ => "text",
        };
        let inner = self.expr(scope, from, depth - 1);
        if self.random.percent(30) { format!("CAST({inner} AS {ty})") } else { format!("({inner})::{ty}") }
    }

    fn list(&mut self, scope: &Scope, element: &str, depth: usize) -> String {
        match self.random.below(5) {
            0 if self.queries > 0 => {
                let query = self.query_of(scope, &[element.to_owned()]);
                format!("ARRAY({query})")
            }
            1 => format!(
                "({}::{element}[])[1:{}]",
                self.expr(scope, &format!("{element}[]"), depth - 1),
                self.expr(scope, "int4", 0)
            ),
            2 => format!("ARRAY[]::{element}[]"),
            other => {
                let scope = &Scope { sets: false, ..scope.clone() };
                let items: Vec<String> =
                    (0..1 + self.random.below(2)).map(|_| self.expr(scope, element, depth - 1)).collect();
                let cast = if other == 3 { format!("::{element}[]") } else { String::new() };
                format!("ARRAY[{}]{cast}", items.join(", "))
            }
        }
    }

    fn element(&mut self, scope: &Scope, ty: &str, depth: usize) -> String {
        if matches!(ty, "int4" | "text" | "mood" | "float8" | "int8") {
            return format!(
                "({}::{ty}[])[{}]",
                self.expr(scope, &format!("{ty}[]"), depth - 1),
                self.expr(scope, "int4", 0)
            );
        }
        self.choice(scope, ty, depth)
    }

    /// A query as a value, or a condition about one.
    fn subquery(&mut self, scope: &Scope, ty: &str) -> String {
        let scope = scope.rows_of_query();
        if ty != "bool" || self.random.percent(20) {
            return format!("({})", self.query_of(&scope, &[ty.to_owned()]));
        }
        let of = self.random.pick(&ELEMENTS).copied().unwrap_or("int4");
        let query = self.query_of(&scope, &[of.to_owned()]);
        match self.random.below(4) {
            0 => format!("EXISTS ({query})"),
            1 => format!("({} IN ({query}))", self.leaf(&scope, of)),
            2 => format!("({} NOT IN ({query}))", self.leaf(&scope, of)),
            _ => format!("({} = ANY ({query}))", self.leaf(&scope, of)),
        }
    }
}

impl Scope {
    /// What a query inside may name of the one around it.
    fn rows_of_query(&self) -> Self {
        let columns = self.grouped.clone().unwrap_or_else(|| self.columns.clone());
        // Whole expressions that are grouped by are not looked for inside.
        let columns = columns.into_iter().filter(|(name, _)| !name.contains(['(', ' ', ':'])).collect();
        Self { columns, ..Self::default() }
    }
}
