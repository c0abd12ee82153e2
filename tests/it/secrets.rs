//! No value of a parameter appears in an error, in `Debug` output, or in a page token that leaves the program.

use std::error::Error as _;
use std::fmt::Debug;

use relata::serde_json::json;
use relata::{Error, List, Param, Result, SearchQuery, count, params};

use crate::wide::Fixture;
use crate::wide::client::{branch, native, note, person};

/// The marker that is searched for in every output.
const MARKER: &str = "GEHEIM";

/// Returns everything that an error and its sources show.
fn shown(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(&format!(" {inner} {inner:?}"));
        source = inner.source();
    }
    text
}

fn assert_silent(what: &str, text: &str) {
    assert!(!text.to_lowercase().contains(&MARKER.to_lowercase()), "{what}: {text}");
}

/// Statements that fail with a text in `$1`, covering as many kinds of errors as there are.
const TEXTS: &[&str] = &[
    "SELECT $1::text::regclass::text",
    "SELECT $1::text::regtype::text",
    "SELECT $1::text::regproc::text",
    "SELECT $1::text::regprocedure::text",
    "SELECT $1::text::regoper::text",
    "SELECT $1::text::regrole::text",
    "SELECT $1::text::regnamespace::text",
    "SELECT $1::text::regconfig::text",
    "SELECT $1::text::regdictionary::text",
    "SELECT $1::text::regcollation::text",
    "SELECT current_setting($1)",
    "SELECT set_config($1, 'x', false)",
    "SELECT set_config('work_mem', $1, false)",
    "SELECT set_config('role', $1, false)",
    "SELECT set_config('search_path', $1, false)::int::text",
    "SELECT nextval($1::text)::text",
    "SELECT currval($1::text)::text",
    "SELECT pg_has_role($1::text::name, 'usage')::text",
    "SELECT has_table_privilege($1::text, 'select')::text",
    "SELECT has_table_privilege('pg_class', $1)::text",
    "SELECT has_schema_privilege($1::text, 'usage')::text",
    "SELECT has_column_privilege('pg_class', $1::text, 'select')::text",
    "SELECT has_database_privilege($1::text, 'connect')::text",
    "SELECT pg_read_file($1)",
    "SELECT pg_stat_file($1)::text",
    "SELECT pg_ls_dir($1)",
    "SELECT lo_import($1)::text",
    "SELECT pg_get_serial_sequence($1, 'id')",
    "SELECT pg_relation_size($1::text::regclass)::text",
    "SELECT obj_description($1::text::regclass)",
    "SELECT to_tsquery($1 || ' & & x')::text",
    "SELECT $1::text::tsquery::text || ($1 || ' &')::tsquery::text",
    "SELECT ($1 || ':')::tsvector::text || (':' || $1)::tsvector::text",
    "SELECT to_tsvector($1::text::regconfig, 'x')::text",
    "SELECT ts_rank_cd('{1,2}'::real[], to_tsvector($1), to_tsquery($1))::text",
    "SELECT $1::text::integer::text",
    "SELECT $1::text::bigint::text",
    "SELECT $1::text::numeric::text",
    "SELECT $1::text::double precision::text",
    "SELECT $1::text::boolean::text",
    "SELECT $1::text::uuid::text",
    "SELECT $1::text::date::text",
    "SELECT $1::text::timestamptz::text",
    "SELECT $1::text::time::text",
    "SELECT $1::text::interval::text",
    "SELECT $1::text::jsonb::text",
    "SELECT $1::text::json::text",
    "SELECT ('<' || $1)::xml::text",
    "SELECT $1::text::inet::text",
    "SELECT $1::text::macaddr::text",
    "SELECT $1::text::bit(4)::text",
    "SELECT $1::text::point::text",
    "SELECT $1::text::money::text",
    "SELECT $1::text::int4range::text",
    "SELECT $1::text::int[]::text",
    "SELECT ('\\x' || $1)::bytea::text",
    "SELECT $1::text::pg_lsn::text",
    "SELECT $1::text::jsonpath::text || ('$.' || $1 || '(')::jsonpath::text",
    "SELECT jsonb_path_query('1', ('$.' || $1 || '.size() + \"a\"')::jsonpath)::text || ('strict $.' || $1)::jsonpath::text \
     || jsonb_path_query('1', ('strict $.' || $1)::jsonpath)::text",
    "SELECT $1::text COLLATE \"C\" SIMILAR TO ('(' || $1)",
    "SELECT 'x' ~ ($1 || '(')",
    "SELECT 'x' LIKE ($1 || '\\')",
    "SELECT date_trunc($1, now())::text",
    "SELECT date_trunc($1, interval '1 day')::text",
    "SELECT extract(day FROM $1::text::timestamp)::text",
    "SELECT date_part($1, now())::text",
    "SELECT to_date($1, 'YYYY-MM-DD')::text",
    "SELECT to_number($1, 'RN')::text || to_timestamp($1, 'J')::text",
    "SELECT now() AT TIME ZONE $1",
    "SELECT encode('x', $1)",
    "SELECT decode('x', $1)::text",
    "SELECT decode($1, 'base64')::text || decode($1, 'hex')::text",
    "SELECT convert_to('x', $1)::text",
    "SELECT convert_from('x', $1)",
    "SELECT format($1 || '%q')",
    "SELECT repeat($1, 2000000000)",
    "SELECT query_to_xml($1, true, true, '')::text",
    "SELECT table_to_xml($1::text::regclass, true, true, '')::text",
    "SELECT ts_stat($1)::text",
    "SELECT ts_rewrite('a'::tsquery, $1)::text",
    "SELECT xpath($1 || '[', '<a/>')::text",
    "SELECT xmlparse(document $1)::text",
    "SELECT pg_notify($1 || repeat('x', 100), '')::text",
    "SELECT normalize('x') || unistr($1 || '\\q')",
    "SELECT raise($1)",
    "SELECT raise_as($1)",
    "SELECT run($1)",
    "SELECT strictly($1)",
    "SELECT 1 / (length($1) - 6)",
    "SELECT domain($1)::text",
    "INSERT INTO checked VALUES ($1) RETURNING 'x'",
    "INSERT INTO excluded VALUES ($1), ($1) RETURNING 'x'",
    "INSERT INTO short VALUES ($1) RETURNING 'x'",
    "INSERT INTO generated VALUES ($1) RETURNING 'x'",
    "INSERT INTO unique_ VALUES ($1), ($1) RETURNING 'x'",
    "INSERT INTO pointing VALUES ($1) RETURNING 'x'",
    "INSERT INTO part VALUES ($1) RETURNING 'x'",
    "INSERT INTO shown VALUES ($1) RETURNING 'x'",
    "INSERT INTO watched VALUES ($1) RETURNING 'x'",
    "INSERT INTO indexed SELECT string_agg($1 || md5(n::text), '') FROM generate_series(1, 500) n RETURNING 'x'",
];

const SCHEMA: &str = "
    CREATE FUNCTION raise(t text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no %', t; END $$;
    CREATE FUNCTION raise_as(t text) RETURNS text LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no %', t USING ERRCODE = '57014', DETAIL = t, HINT = t; END $$;
    CREATE FUNCTION run(t text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SELECT ' || t; RETURN t; END $$;
    CREATE FUNCTION strictly(t text) RETURNS text LANGUAGE plpgsql AS
        $$ DECLARE x text; BEGIN SELECT relname INTO STRICT x FROM pg_class WHERE relname = t; RETURN x; END $$;
    CREATE DOMAIN positive AS text CHECK (VALUE = 'x');
    CREATE FUNCTION domain(t text) RETURNS positive LANGUAGE sql AS $$ SELECT t::positive $$;
    CREATE TABLE checked (t text CONSTRAINT t_is_short CHECK (length(t) < 3));
    CREATE TABLE excluded (t text, EXCLUDE (t WITH =));
    CREATE TABLE short (t varchar(3));
    CREATE TABLE generated (t text, g integer GENERATED ALWAYS AS (t::integer) STORED);
    CREATE TABLE unique_ (t text UNIQUE);
    CREATE TABLE pointing (t text REFERENCES unique_ (t));
    CREATE TABLE part (t text) PARTITION BY LIST (t);
    CREATE VIEW shown AS SELECT * FROM checked WHERE t = 'x' WITH CHECK OPTION;
    CREATE TABLE watched (t text);
    CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not %', NEW.t; END $$;
    CREATE TRIGGER watch BEFORE INSERT ON watched FOR EACH ROW EXECUTE FUNCTION watch();
    CREATE TABLE indexed (t text);
    CREATE INDEX ON indexed (t);
";

async fn batch(fixture: &Fixture, sql: &str) {
    crate::support::connect(fixture.url()).await.batch_execute(sql).await.expect("is right");
}

#[tokio::test]
async fn no_error_shows_a_value() {
    let fixture = Fixture::new().await;
    batch(&fixture, SCHEMA).await;
    let (mut kinds, mut passed) = (std::collections::BTreeSet::new(), Vec::new());
    for sql in TEXTS {
        match fixture.db.query_raw::<(String,)>(sql, params![MARKER]).await {
            Ok(_) => passed.push(*sql),
            Err(error) => {
                assert_silent(sql, &shown(&error));
                kinds.insert(error.sqlstate().unwrap_or_default().to_owned());
            }
        }
    }
    // Whether some of them fail depends on how the server was built.
    assert!(passed.len() <= 6, "these did not fail: {passed:#?}");
    assert!(kinds.len() >= 25, "{kinds:?}");
}

#[tokio::test]
async fn no_error_of_the_typed_client_shows_a_value() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    fixture.sql(r#"INSERT INTO "Native" (id) VALUES (1)"#).await;
    let silent = |error: Error| assert_silent("an error", &shown(&error));
    let terms = format!("{MARKER} & & x");
    silent(db.native().count().filter(native::text.search(terms.as_str())).await.expect_err("is no query"));
    let order = native::text.relevance(terms.as_str()).desc();
    silent(db.native().find_many().order_by(order).await.expect_err("is no query"));
    for set in [
        native::inet.to(MARKER),
        native::xml.to("<GEHEIM"),
        native::bit.to(MARKER),
        native::varchar.to("GEHEIM GEHEIM"),
        native::text.to("GEHEIM\0"),
    ] {
        silent(db.native().update(native::id.eq(1)).set(set).await.expect_err("does not fit"));
    }
    silent(db.native().count().filter(native::xml.eq(MARKER) & native::inet.eq(MARKER)).await.expect_err("is no inet"));
    let row = |name: &str| person::Create { name: name.to_owned() };
    db.person().create(row(MARKER)).await.expect("is created");
    silent(db.person().create(row(MARKER)).await.expect_err("is taken"));
    silent(db.query_raw::<(i32,)>("SELECT $1", params![MARKER]).await.expect_err("is text"));
    silent(db.query_raw::<(i32,)>("SELECT $1::integer", params![MARKER]).await.expect_err("is text"));
}

#[tokio::test]
async fn messages_stay_useful() {
    let fixture = Fixture::new().await;
    batch(&fixture, SCHEMA).await;
    let db = &fixture.db;
    let failed = async |sql: &str, params: Vec<Param>| db.execute_raw(sql, params).await.expect_err("fails");
    for (sql, told) in [
        ("SELECT * FROM nowhere", "relation \"nowhere\" does not exist"),
        ("SELECT nothing FROM pg_class", "column \"nothing\" does not exist"),
        ("SELEC 1", "syntax error at or near \"SELEC\""),
        ("SELECT nofunction(1)", "function nofunction(integer) does not exist"),
        ("SELECT 1 / 0", "division by zero"),
        ("SELECT (SELECT n FROM generate_series(1, 2) n)", "more than one row returned by a subquery"),
        ("INSERT INTO excluded VALUES ('a'), ('a')", "constraint excluded_t_excl"),
        ("SELECT * FROM pg_authid FOR UPDATE NOWAIT WHERE", "syntax error"),
        ("INSERT INTO generated (g) VALUES (1)", "cannot insert a non-DEFAULT value into column \"g\""),
        ("UPDATE generated SET g = 1", "column \"g\" can only be updated to DEFAULT"),
        ("INSERT INTO short VALUES ('abcd')", "a text is longer than its column allows"),
    ] {
        let message = failed(sql, params![]).await.to_string();
        assert!(message.contains(told), "{sql}: {message}");
    }
    let raised = failed("SELECT raise($1)", params![MARKER]).await;
    assert!(raised.to_string().contains("server_message"), "{raised}");
    match raised {
        Error::Database(error) => assert_eq!(error.server_message(), "no GEHEIM"),
        other => panic!("{other:?}"),
    }
    match failed("INSERT INTO checked VALUES ($1)", params![MARKER]).await {
        Error::Database(error) => {
            assert_eq!((error.table.as_deref(), error.constraint.as_deref()), (Some("checked"), Some("t_is_short")));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn no_debug_output_shows_a_value() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let mut outputs: Vec<String> = Vec::new();
    let mut show = |value: &dyn Debug| outputs.push(format!("{value:?} {value:#?}"));
    let web = || SearchQuery::web(MARKER).language("simple");
    for filter in [
        native::text.eq(MARKER),
        native::text.in_([MARKER]),
        native::text.between(MARKER, MARKER),
        native::text.contains(MARKER),
        native::text.contains_opt(Some(MARKER)),
        native::text.starts_with(MARKER),
        native::text.ends_with(MARKER),
        native::text.eq_insensitive(MARKER),
        native::text.ne_insensitive(MARKER),
        native::text.contains_insensitive(MARKER),
        native::text.starts_with_insensitive(MARKER),
        native::text.ends_with_insensitive(MARKER),
        native::text.search(MARKER),
        native::text.search(web()),
        native::texts.eq([MARKER]),
        native::texts.has(MARKER),
        native::texts.has_every([MARKER]),
        native::texts.has_some([MARKER]),
        native::jsonb.eq(json!({ "GEHEIM": MARKER })),
        native::jsonb.string_contains(MARKER),
        native::jsonb.string_ends_with_insensitive(MARKER),
        native::jsonb.array_contains([MARKER]),
        native::jsonb.array_starts_with(MARKER),
        native::jsonb.array_ends_with(MARKER),
        native::jsonb.path([MARKER]).exists(),
        native::jsonb.path(["a"]).eq(MARKER),
        native::jsonb.path(["a"]).lt(MARKER),
        native::bytes.eq(MARKER.as_bytes()),
    ] {
        show(&filter);
        show(&!filter.clone());
        show(&db.native().find_many().filter(filter.clone()));
        show(&db.native().find_many().filter(filter.clone()).select(native::id));
        show(&db.native().find_many().filter(filter.clone()).page_after(None));
        show(&db.native().count().filter(filter.clone()));
        show(&db.native().exists().filter(filter.clone()));
        show(&db.native().aggregate(count()).filter(filter.clone()));
        show(&db.native().group_by(native::id).filter(filter.clone()));
        show(&db.native().update_many().filter(filter.clone()).set(native::text.to(MARKER)));
        show(&db.native().delete_many().filter(filter));
    }
    show(&native::jsonb.path([MARKER]));
    show(&web());
    show(&native::text.relevance(web()));
    show(&native::text.relevance(MARKER).desc());
    show(&db.native().find_many().order_by(native::text.relevance(MARKER).desc()));
    show(&native::text.max().eq(MARKER));
    show(&db.native().group_by(native::id).having(native::text.max().eq(MARKER)));
    show(&person::id.eq(MARKER));
    show(&native::text.to(MARKER));
    show(&native::texts.push(MARKER));
    show(&params![MARKER, List(vec![MARKER.to_owned()])]);
    let about = || person::written.filter(note::body.contains(MARKER));
    show(&about());
    show(&about().count());
    show(&about().count().asc());
    show(&about().select(note::body));
    show(&person::written.some(note::body.contains(MARKER)));
    show(&person::written.cursor(note::tenant_number.eq(1, 1)).order_by(note::body.asc()));
    show(&person::written.connect(note::by_author.eq(MARKER, 1)));
    show(&person::written.update_many(note::body.contains(MARKER), [note::body.to(MARKER)]));
    show(&person::written.update(note::by_author.eq(MARKER, 1), [note::body.to(MARKER)]));
    show(&person::written.delete_many(note::body.contains(MARKER)));
    show(&db.person().find_many().include(about()).cursor(person::id.eq(MARKER)));
    show(&db.person().find_unique(person::name.eq(MARKER)));
    show(&db.person().update(person::name.eq(MARKER)).set(person::name.to(MARKER)));
    show(&db.person().delete(person::name.eq(MARKER)));
    let row = || person::Create { name: MARKER.to_owned() };
    show(&db.person().create(row()));
    show(&db.person().create_many([row()]));
    show(&db.person().create_many_and_return([row()]));
    show(&db.person().upsert(person::name.eq(MARKER), row()).set(person::name.to(MARKER)));
    show(&db.person().create_many_and_return([row()]).or_none());
    show(&db.person().upsert_many([row()]));
    show(&db.person().upsert_many([row()]).on(person::name).set(person::name.to(MARKER)));
    show(&db.person().upsert_many([row()]).on(person::name).and_return());
    show(&db.person().update_each([(person::name.eq(MARKER), person::name.to(MARKER))]));
    show(&db.person().update_each([(person::name.eq(MARKER), person::name.to(MARKER))]).and_return());
    show(&db.person().copy_in([row()]));
    show(&db.query_raw_stream::<(String,)>("SELECT $1", params![MARKER]));
    assert!(outputs.len() > 300);
    outputs.iter().for_each(|output| assert_silent("Debug", output));
}

fn refused<T: Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::Misuse(reason)) => reason.into_owned(),
        other => panic!("{other:?}"),
    }
}

/// A token goes to the visitor, who can read its content.
#[tokio::test]
async fn a_page_token_holds_no_sensitive_value() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    fixture.sql(r#"INSERT INTO "Branch" (id, label) VALUES (1, 'c'), (2, 'b'), (3, 'a')"#).await;
    let by = |order| db.branch().find_many().order_by(order).take(1);
    let reason = refused(by(branch::label.asc()).page_after(None).await);
    assert!(reason.contains("label is @sensitive") && reason.contains("cursor"), "{reason}");
    assert!(refused(by(branch::label.desc()).page_before(None).await).contains("@sensitive"));
    let related = branch::parent.order(branch::parent.order(branch::label.asc()));
    assert!(refused(by(related).page_after(None).await).contains("@sensitive"));
    assert!(refused(by(branch::label.asc()).select(branch::id).page_after(None).await).contains("@sensitive"));
    assert!(refused(by(branch::label.relevance("c").desc()).page_after(None).await).contains("@sensitive"));
    assert!(by(branch::id.asc()).page_after(None).await.expect("is read").next.is_some());
    // The remedy works: the values stay in the database.
    let mut ids = by(branch::label.asc()).select(branch::id).await.expect("is read");
    for _ in 0..2 {
        let last = *ids.last().expect("there is a row");
        let next = by(branch::label.asc()).cursor(branch::id.eq(last)).skip(1).select(branch::id);
        ids.extend(next.await.expect("is read"));
    }
    assert_eq!(ids, [3, 2, 1]);
}
