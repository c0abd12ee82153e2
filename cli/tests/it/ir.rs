//! `ir`, as `docs/ir.md` describes it.

use serde_json::{Value, json};

use crate::support::Project;

/// The text of the first block of code in `language`.
fn block<'p>(page: &'p str, language: &str) -> &'p str {
    let start = page.split_once(&format!("```{language}\n")).expect("the page has such a block").1;
    start.split_once("```").expect("the block ends").0
}

#[test]
fn the_example_of_the_page_is_what_the_command_prints() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/ir.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let project = Project::new();
    project.write("schema.dsl", block(&page, "prisma"));
    let ran = project.run(&["ir"]).exits(0);
    assert_eq!(ran.stdout.trim_end(), block(&page, "json").trim_end());
}

#[test]
fn what_the_example_does_not_have_is_there_too() {
    let project = Project::new();
    project.write(
        "schema.dsl",
        r#"datasource db {
  provider   = "postgresql"
  schemas    = ["shop"]
  extensions = [uuid_ossp(map: "uuid-ossp", version: "1.1")]
}

model A {
  id    Int                    @id
  mail  String                 @unique(where: { id: 1 })
  spot  Unsupported("point")?
  bs    B[]                    @ignore

  @@index([raw("lower(mail)", sort: Desc, ops: raw("text_pattern_ops"))], type: BTree)
  @@check("id > 0", name: "positive")
  @@schema("shop")
}

model B {
  id String @id @default(nanoid(7))
  as A[]

  @@ignore
  @@schema("shop")
}

view V {
  id Int @unique

  @@schema("shop")
}
"#,
    );
    let ran = project.run(&["ir"]).exits(0);
    let ir: Value = serde_json::from_str(&ran.stdout).expect("the output is JSON");
    assert_eq!((&ir["version"], &ir["foreignKeys"], &ir["schemas"]), (&json!(1), &json!(true), &json!(["shop"])));
    let extension = json!({"name": "uuid_ossp", "dbName": "uuid-ossp", "schema": null, "version": "1.1"});
    assert_eq!(ir["extensions"], json!([extension]));
    let [a, b, v] = ir["models"].as_array().expect("a list").as_slice() else { panic!("{ir}") };
    assert_eq!(a["checks"], json!([{"constraint": "positive", "sql": "id > 0"}]));
    assert_eq!(a["indexes"][0]["where"], json!("\"id\" = 1"));
    let part = json!({"expression": "lower(mail)", "sort": "Desc", "operatorClass": "text_pattern_ops"});
    assert_eq!(a["indexes"][1]["fields"], json!([part]));
    assert_eq!(a["fields"][2]["type"], json!({"unsupported": "point"}));
    assert_eq!((&b["ignored"], &v["view"], &v["primaryKey"]), (&json!(true), &json!(true), &Value::Null));
    assert_eq!(b["fields"][0]["default"], json!({"function": "nanoid", "arguments": [7]}));
    assert_eq!(ir["relations"][0]["foreignKey"], Value::Null);
    assert_eq!(ir["relations"][0]["joinTable"]["dbName"], json!("_AToB"));
}

#[test]
fn types_in_json_are_there_if_the_schema_has_them() {
    let project = Project::new();
    let text = "type Geo {\n  lat Float @default(-0.5)\n  on  DateTime? @map(\"the day\") @db.Date\n  in  Geo[]\n  by  String @rust(\"crate::By\")\n\n  @@derive(\"Eq\")\n}\n
model A {\n  id  Int   @id\n  geo Geo   @json\n  all Geo[] @json\n}\n";
    project.write("schema.dsl", text);
    let ran = project.run(&["ir"]).exits(0);
    let ir: Value = serde_json::from_str(&ran.stdout).expect("the output is JSON");
    let field = |name: &str, key: &str, arity: &str, ty: Value, default: Value| json!({ "name": name, "rustName": if name == "in" { "r#in" } else { name }, "key": key, "docs": null, "arity": arity, "type": ty, "default": default });
    let mut by = field("by", "by", "required", json!({ "scalar": "String" }), Value::Null);
    by["rust"] = json!("crate::By");
    let fields = [
        field("lat", "lat", "required", json!({ "scalar": "Float" }), json!({ "number": "-0.5" })),
        field("on", "the day", "optional", json!({ "scalar": "DateTime", "native": "Date" }), Value::Null),
        field("in", "in", "list", json!({ "type": "Geo" }), Value::Null),
        by,
    ];
    assert_eq!(
        ir["types"],
        json!([{ "name": "Geo", "rustName": "Geo", "module": "geo", "docs": null, "fields": fields, "derives": ["Eq"] }])
    );
    let fields = &ir["models"][0]["fields"];
    assert_eq!(fields[1]["json"], json!({ "type": "Geo", "list": false }));
    assert_eq!(
        (&fields[2]["json"], &fields[2]["arity"]),
        (&json!({ "type": "Geo", "list": true }), &json!("required"))
    );
    assert_eq!(fields[2]["type"]["native"]["name"], json!("JsonB"));
    assert_eq!(fields[0].get("json"), None);
}

#[test]
fn a_schema_with_a_mistake_has_no_ir() {
    let project = Project::new();
    project.write("schema.dsl", "model A {\n  id Strin @id\n}\n");
    let ran = project.run(&["ir"]).exits(1).says("did you mean `String`?");
    assert_eq!(ran.stdout, "");
}
