//! Functions, procedures, triggers and policies: a temporary one of the schema's text, and the one of the database.

use relata_codegen::sql::ObjectInSchema;
use relata_codegen::sql::quote::{ident, literal, qualified};
use tokio_postgres::{Error, Row, Transaction};

use super::super::catalog::{self, FUNCTION_SHAPE};
use super::compare::{Outcome, Printed, Tried, try_out};

/// Lets the search path lead to temporary objects last. Otherwise it leads to them first.
const TEMPORARY_LAST: &str =
    "SELECT set_config('search_path', concat_ws(', ', NULLIF(current_setting('search_path'), ''), 'pg_temp'), true)";

/// Compares an object. Returns the function of the database, too, if it is one: only PostgreSQL knows which has the same
/// arguments.
pub(super) async fn compare_objects(
    transaction: &Transaction<'_>,
    object: &ObjectInSchema,
    is_on_view: bool,
) -> Result<(Outcome, Option<u32>), Error> {
    match object.kind {
        "function" | "procedure" => compare_functions(transaction, object).await,
        "domain" => compare_types(transaction, object, &catalog::select_domains()).await,
        "composite type" => compare_types(transaction, object, &catalog::select_composites()).await,
        "sequence" => compare_sequences(transaction, object).await,
        "trigger" => {
            let create = on_temporary_table(object, is_on_view);
            compare_guards(transaction, object, &create, &same_triggers(object)).await
        }
        _ => compare_guards(transaction, object, &on_temporary_table(object, false), &same_policies(object)).await,
    }
}

/// Returns the answer, or the outcome without one.
fn tried(tried: Tried) -> Result<Box<Row>, Outcome> {
    match tried {
        Tried::Row(row) => Ok(row),
        Tried::Failed | Tried::NoFunction => Err(Outcome::Differs(None)),
        Tried::Impossible => Err(Outcome::Unknown),
    }
}

/// Returns the statement with another name for the function or the table.
fn renamed(object: &ObjectInSchema) -> String {
    let (before, after) = (&object.sql[..object.relation_at.start], &object.sql[object.relation_at.end..]);
    let after = own_columns(object, after);
    format!("{before}pg_temp.{}{after}", ident(&object.relation.name))
}

/// Returns the statement's conditions with the schema of the temporary table where they name a column of the table with its
/// schema: `shop.orders.total`.
fn own_columns(object: &ObjectInSchema, sql: &str) -> String {
    let schema = object.relation.schema.as_deref();
    let all: Vec<_> = relata_pgsql::tokens(sql).collect();
    let mut written = String::new();
    let mut copied = 0;
    for four in all.windows(4) {
        let is_name = |at: usize, name: &str| four[at].value(sql) == name;
        let is_dot = |at: usize| four[at].is_punctuation(sql, ".");
        if schema.is_none_or(|schema| is_name(0, schema))
            && is_dot(1)
            && is_name(2, &object.relation.name)
            && is_dot(3)
            && four[0].start >= copied
        {
            written += &format!("{}pg_temp", &sql[copied..four[0].start]);
            copied = four[0].end;
        }
    }
    written + &sql[copied..]
}

async fn compare_functions(
    transaction: &Transaction<'_>,
    object: &ObjectInSchema,
) -> Result<(Outcome, Option<u32>), Error> {
    let create = format!("SET LOCAL check_function_bodies TO off; {}", renamed(object));
    let schema = object.relation.schema.as_deref().map_or_else(|| "current_schema()".to_owned(), literal);
    // What follows the name. The files of a project have the line ends of the checkout, so they do not count.
    let definition = |function: &str| {
        format!(
            "replace(substr(pg_get_functiondef({function}.oid), strpos(pg_get_functiondef({function}.oid), quote_ident({function}.proname) || '(')), E'\\r\\n', E'\\n')"
        )
    };
    let question = format!(
        "SELECT f.oid, CASE WHEN f.oid IS NULL THEN false ELSE {} = {} END, {FUNCTION_SHAPE}
         FROM pg_proc AS p LEFT JOIN pg_proc AS f ON f.proname = p.proname AND f.proargtypes = p.proargtypes
           AND f.prokind <> 'a' AND f.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = {schema})
         WHERE p.pronamespace = pg_my_temp_schema() AND p.proname = {}",
        definition("f"),
        definition("p"),
        literal(&object.name)
    );
    let row = match tried(try_out(transaction, &create, &question).await?) {
        Ok(row) => row,
        Err(outcome) => return Ok((outcome, None)),
    };
    let (function, is_same): (Option<u32>, bool) = (row.try_get(0)?, row.try_get(1)?);
    let outcome = if is_same { Outcome::Same } else { Outcome::Differs(row.try_get(2)?) };
    Ok((outcome, function))
}

/// Compares a domain or a composite type. `select` is the query for all of its kind.
async fn compare_types(
    transaction: &Transaction<'_>,
    object: &ObjectInSchema,
    select: &str,
) -> Result<(Outcome, Option<u32>), Error> {
    let schema = object.relation.schema.as_deref().map_or_else(|| "current_schema()::text".to_owned(), literal);
    let temporary = "(SELECT nspname::text FROM pg_namespace WHERE oid = pg_my_temp_schema())";
    let in_schema = |schema: &str| select.replace("ANY($1)", &format!("ANY(ARRAY[{schema}])"));
    // The name of the temporary one becomes that of the other one.
    let (from, to) = (format!("{temporary} || '.'"), prefix(object));
    let replaced = |text: &str| format!("replace({text}, {from}, {to})");
    let parts =
        format!("string_to_array({}, E'\\x01', E'\\x02')", replaced("array_to_string(new.parts, E'\\x01', E'\\x02')"));
    let question = format!(
        "SELECT {}, {parts}, there.shape, there.parts, there.oid IS NOT NULL
         FROM ({}) AS new LEFT JOIN ({}) AS there ON there.name = {}
         WHERE new.name = {from} || {}",
        replaced("new.shape"),
        in_schema(temporary),
        in_schema(&schema),
        replaced("new.name"),
        literal(&relata_pgsql::ident_if_needed(&object.name)),
    );
    let row = match tried(try_out(transaction, &renamed(object), &question).await?) {
        Ok(row) => row,
        Err(outcome) => return Ok((outcome, None)),
    };
    if !row.try_get::<_, bool>(4)? {
        return Ok((Outcome::Differs(None), None));
    }
    let wanted = Printed { shape: row.try_get(0)?, parts: catalog::parts(row.try_get(1)?) };
    let there = Printed { shape: row.try_get(2)?, parts: catalog::parts(row.try_get(3)?) };
    let outcome = if wanted == there { Outcome::Same } else { Outcome::DiffersIn(Box::new([wanted, there])) };
    Ok((outcome, None))
}

/// Returns the SQL for how the name of an object begins where it is printed: names of the current schema have no schema.
fn prefix(object: &ObjectInSchema) -> String {
    let Some(schema) = object.relation.schema.as_deref() else { return "''".to_owned() };
    let printed = format!("{}.", relata_pgsql::ident_if_needed(schema));
    format!("CASE WHEN current_schema() = {} THEN '' ELSE {} END", literal(schema), literal(&printed))
}

async fn compare_sequences(
    transaction: &Transaction<'_>,
    object: &ObjectInSchema,
) -> Result<(Outcome, Option<u32>), Error> {
    let options = |alias: &str| {
        ["typid", "start", "increment", "max", "min", "cache", "cycle"].map(|it| format!("{alias}.seq{it}")).join(", ")
    };
    // The name of a sequence that is not there is that of the temporary one.
    let question = format!(
        "SELECT there.seqrelid, ROW({}) IS NOT DISTINCT FROM ROW({})
         FROM pg_sequence AS new LEFT JOIN pg_sequence AS there
           ON there.seqrelid = to_regclass({}) AND there.seqrelid <> new.seqrelid
         WHERE new.seqrelid = {}::regclass",
        options("there"),
        options("new"),
        literal(&qualified(&object.relation)),
        literal(&format!("pg_temp.{}", ident(&object.name)))
    );
    let create = format!("{TEMPORARY_LAST}; {}", renamed(object));
    let row = match tried(try_out(transaction, &create, &question).await?) {
        Ok(row) => row,
        Err(outcome) => return Ok((outcome, None)),
    };
    let outcome = if row.try_get(1)? { Outcome::Same } else { Outcome::Differs(None) };
    Ok((outcome, row.try_get(0)?))
}

/// Returns the statements that create a trigger or a policy on a temporary table or view. It has the name of the real one,
/// because conditions name it; the search path leads to it last, because subqueries mean the real one.
fn on_temporary_table(object: &ObjectInSchema, is_on_view: bool) -> String {
    let (name, relation) = (ident(&object.relation.name), qualified(&object.relation));
    let create = match is_on_view {
        true => format!("CREATE TEMP VIEW {name} AS SELECT * FROM {relation}"),
        false => format!("CREATE TEMP TABLE {name} (LIKE {relation})"),
    };
    format!("{TEMPORARY_LAST}; {create}; {}", renamed(object))
}

/// Returns the condition that `there` is a part of the object's table, and `new` of the temporary one.
fn of_table(object: &ObjectInSchema, class: &str, name: &str, table: &str) -> String {
    let (temporary, relation) = (format!("pg_temp.{}", ident(&object.relation.name)), qualified(&object.relation));
    format!(
        "{class} AS new LEFT JOIN {class} AS there ON there.{name} = new.{name} AND there.{table} = to_regclass({})
         WHERE new.{table} = {}::regclass AND new.{name} = {}",
        literal(&relation),
        literal(&temporary),
        literal(&object.name)
    )
}

fn same_triggers(object: &ObjectInSchema) -> String {
    let definition = |trigger: &str| {
        format!(
            "(SELECT replace(replace(pg_get_triggerdef({trigger}.oid), format(' ON %I.%I ', n.nspname, c.relname), ' '),
                format(' ON pg_temp.%I ', c.relname), ' ')
              FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = {trigger}.tgrelid)"
        )
    };
    format!(
        "SELECT {} IS NOT DISTINCT FROM {} FROM {}",
        definition("there"),
        definition("new"),
        of_table(object, "pg_trigger", "tgname", "tgrelid")
    )
}

fn same_policies(object: &ObjectInSchema) -> String {
    let definition = |policy: &str| {
        format!(
            "ROW({policy}.polcmd, {policy}.polpermissive, ARRAY(SELECT unnest({policy}.polroles) ORDER BY 1),
               pg_get_expr({policy}.polqual, {policy}.polrelid), pg_get_expr({policy}.polwithcheck, {policy}.polrelid))"
        )
    };
    format!(
        "SELECT {} IS NOT DISTINCT FROM {} FROM {}",
        definition("there"),
        definition("new"),
        of_table(object, "pg_policy", "polname", "polrelid")
    )
}

/// Returns whether a condition passes a whole row of the table to a function, which takes no row of a temporary table.
fn passes_row(object: &ObjectInSchema) -> bool {
    let sql = &object.sql[object.relation_at.end..];
    let all: Vec<_> = relata_pgsql::tokens(sql).filter(|token| !token.is_comment()).collect();
    let is_row = |name: &str| name == object.relation.name || name == "new" || name == "old";
    all.windows(3).any(|three| {
        let (before, after) = (three[0].text(sql), three[2].text(sql));
        let is_whole = ["(", ","].contains(&before) && [")", ","].contains(&after);
        let is_star = after == "." && is_row(&three[1].value(sql)) && sql[three[2].end..].trim_start().starts_with('*');
        is_whole && is_row(&three[1].value(sql)) || is_star
    })
}

async fn compare_guards(
    transaction: &Transaction<'_>,
    object: &ObjectInSchema,
    create: &str,
    question: &str,
) -> Result<(Outcome, Option<u32>), Error> {
    let answer = match try_out(transaction, create, question).await? {
        Tried::NoFunction if passes_row(object) => Tried::Impossible,
        other => other,
    };
    Ok(match tried(answer) {
        Ok(row) if row.try_get::<_, bool>(0)? => (Outcome::Same, None),
        Ok(_) => (Outcome::Differs(None), None),
        Err(outcome) => (outcome, None),
    })
}
