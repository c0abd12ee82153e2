//! The validated schema as JSON, for other tools and generators. `docs/ir.md` describes version 1. Later releases may
//! add keys. Removing a key or changing its meaning makes a new version.

use relata_codegen::ir::{
    self, Column, ColumnType, ColumnWalker, DefaultValue, EnumWalker, FieldKind, FieldWalker, Identity, Index,
    IndexField, IndexTarget, KeyOptions, ModelWalker, NativeType, RelationFieldWalker, RelationStorage, RelationWalker,
    SequenceOptions, Side,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::types::{Type, arity, literal_value, shape, types};

/// The version of the format.
const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Schema<'s> {
    version: u32,
    foreign_keys: bool,
    engine: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    comments: bool,
    schemas: &'s [String],
    extensions: Vec<Extension<'s>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    objects: Vec<Object<'s>>,
    enums: Vec<Enum<'s>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    types: Vec<Type<'s>>,
    models: Vec<Model<'s>>,
    relations: Vec<Relation<'s>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Extension<'s> {
    name: &'s str,
    db_name: &'s str,
    schema: Option<&'s str>,
    version: Option<&'s str>,
}

#[derive(Serialize)]
struct Object<'s> {
    kind: &'static str,
    identity: String,
    sql: &'s str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Enum<'s> {
    name: &'s str,
    rust_name: &'s str,
    db_name: &'s str,
    schema: Option<&'s str>,
    docs: Option<&'s str>,
    renamed_from: Option<&'s str>,
    values: Vec<EnumValue<'s>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    derives: &'s [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EnumValue<'s> {
    name: &'s str,
    rust_name: &'s str,
    db_name: &'s str,
    docs: Option<&'s str>,
    renamed_from: Option<&'s str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Model<'s> {
    name: &'s str,
    rust_name: &'s str,
    module: &'s str,
    db_name: &'s str,
    schema: Option<&'s str>,
    docs: Option<&'s str>,
    view: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'s str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    materialized: bool,
    ignored: bool,
    renamed_from: Option<&'s str>,
    fields: Vec<Field<'s>>,
    primary_key: Option<Key<'s>>,
    indexes: Vec<Key<'s>>,
    checks: Vec<Check<'s>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exclusions: Vec<Key<'s>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<Scope<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    row_security: Option<bool>,
    #[serde(rename = "with", skip_serializing_if = "<[String]>::is_empty")]
    storage: &'s [String],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unlogged: bool,
    #[serde(rename = "partitionBy", skip_serializing_if = "Option::is_none")]
    partitions: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audited: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distribution: Option<Value>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    derives: &'s [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Field<'s> {
    name: &'s str,
    rust_name: &'s str,
    docs: Option<&'s str>,
    arity: &'static str,
    ignored: bool,
    #[serde(flatten)]
    kind: Kind<'s>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
enum Kind<'s> {
    Column(Box<ColumnKind<'s>>),
    Relation { model: &'s str, relation: u32, side: &'static str },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ColumnKind<'s> {
    db_name: &'s str,
    #[serde(rename = "type")]
    ty: Value,
    default: Option<Value>,
    updated_at: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    soft_delete: bool,
    generated: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collation: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rust: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    json: Option<Value>,
    sensitive: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    omitted: bool,
    renamed_from: Option<&'s str>,
    using: Option<&'s str>,
}

#[derive(Serialize)]
struct Key<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    unique: Option<bool>,
    name: Option<&'s str>,
    #[serde(rename = "rustName", skip_serializing_if = "Option::is_none")]
    rust_name: Option<&'s str>,
    constraint: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    fields: Vec<Value>,
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    predicate: Option<&'s str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    include: Vec<&'s str>,
    #[serde(rename = "nullsNotDistinct", skip_serializing_if = "std::ops::Not::not")]
    nulls_not_distinct: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deferrable: Option<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    with: &'s [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Scope<'s> {
    name: &'s str,
    rust_name: &'s str,
    sql: &'s str,
}

#[derive(Serialize)]
struct Check<'s> {
    constraint: &'s str,
    sql: &'s str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relation<'s> {
    name: String,
    referencing: End<'s>,
    referenced: End<'s>,
    foreign_key: Option<ForeignKey<'s>>,
    join_table: Option<JoinTable<'s>>,
}

#[derive(Serialize)]
struct End<'s> {
    model: &'s str,
    field: &'s str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ForeignKey<'s> {
    constraint: &'s str,
    fields: Vec<&'s str>,
    references: Vec<&'s str>,
    on_delete: String,
    on_update: String,
    one_to_one: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deferrable: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    match_full: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    set_null: Vec<&'s str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JoinTable<'s> {
    db_name: &'s str,
    schema: Option<&'s str>,
}

impl<'s> Schema<'s> {
    pub(crate) fn new(schema: &'s ir::Schema) -> Self {
        let extensions = schema.extensions.iter().map(|extension| Extension {
            name: &extension.name,
            db_name: &extension.db_name,
            schema: extension.namespace.as_deref(),
            version: extension.version.as_deref(),
        });
        Self {
            version: VERSION,
            foreign_keys: schema.foreign_keys,
            engine: match schema.engine {
                ir::Engine::PostgreSql => "postgresql",
                ir::Engine::Citus => "citus",
            },
            comments: schema.comments,
            schemas: &schema.namespaces,
            extensions: extensions.collect(),
            objects: schema.objects.iter().map(object).collect(),
            enums: schema.walk_enums().map(enumeration).collect(),
            types: types(schema),
            models: schema.walk_models().map(model).collect(),
            relations: schema.walk_relations().map(relation).collect(),
        }
    }
}

fn object(object: &ir::SqlObject) -> Object<'_> {
    Object { kind: object.kind(), identity: object.identity(), sql: &object.sql }
}

fn enumeration(walker: EnumWalker<'_>) -> Enum<'_> {
    let known = walker.enumeration();
    let values = known.values.iter().map(|value| EnumValue {
        name: &value.name,
        rust_name: &value.rust_ident,
        db_name: &value.db_name,
        docs: value.docs.as_deref(),
        renamed_from: value.renamed_from.as_deref(),
    });
    Enum {
        name: &known.name,
        rust_name: &known.rust_ident,
        db_name: &known.db_name,
        schema: known.namespace.as_deref(),
        docs: known.docs.as_deref(),
        renamed_from: known.renamed_from.as_deref(),
        values: values.collect(),
        derives: &known.derives,
    }
}

fn model(walker: ModelWalker<'_>) -> Model<'_> {
    let model = walker.model();
    let primary_key = model.primary_key.as_ref().map(|known| Key {
        name: known.name.as_deref(),
        rust_name: known.rust_ident.as_deref(),
        constraint: &known.constraint_name,
        fields: index_fields(walker, &known.fields),
        ..key(walker, &known.options)
    });
    let scopes = model.scopes.iter();
    let scopes = scopes.map(|scope| Scope { name: &scope.name, rust_name: &scope.rust_ident, sql: &scope.sql });
    let checks = model.checks.iter().map(|check| Check { constraint: &check.constraint_name, sql: &check.sql });
    Model {
        name: &model.name,
        rust_name: &model.rust_ident,
        module: &model.module,
        db_name: &model.db_name,
        schema: model.namespace.as_deref(),
        docs: model.docs.as_deref(),
        view: model.is_view,
        query: model.query.as_deref(),
        materialized: model.materialized,
        ignored: model.ignored,
        renamed_from: model.renamed_from.as_deref(),
        fields: walker.fields().map(field).collect(),
        primary_key,
        indexes: model.indexes.iter().map(|key| index(walker, key)).collect(),
        checks: checks.collect(),
        scopes: scopes.collect(),
        exclusions: model.exclusions.iter().map(|it| exclusion(walker, it)).collect(),
        tenant: walker.schema.tenant().map(|_| tenant(walker)),
        row_security: walker.schema.tenant().map(|_| model.row_security),
        storage: &model.storage,
        unlogged: model.unlogged,
        partitions: model.partitions.as_ref().map(|partitions| partition_key(walker, partitions)),
        audited: model.audit.as_ref().map(|audit| audited(walker, audit)),
        distribution: (walker.schema.engine == ir::Engine::Citus).then(|| distribution(walker)),
        derives: &model.derives,
    }
}

/// `{"method": "Range", "fields": ["createdAt"]}`.
fn partition_key(walker: ModelWalker<'_>, partitions: &ir::Partitions) -> Value {
    let fields: Vec<_> = partitions.fields.iter().map(|field| walker.schema.walk_field(*field).name()).collect();
    json!({ "method": partitions.method.name(), "fields": fields })
}

/// `{"except": ["views"]}`.
fn audited(walker: ModelWalker<'_>, audit: &ir::Audit) -> Value {
    let except: Vec<_> = audit.except.iter().map(|field| walker.schema.walk_field(*field).name()).collect();
    json!({ "except": except })
}

/// `{"by": "field"}`, `"reference"` or `"local"`.
fn distribution(walker: ModelWalker<'_>) -> Value {
    match walker.model().distribution {
        ir::Distribution::By(field) => json!({ "by": walker.schema.walk_field(field).name() }),
        ir::Distribution::Reference => json!("reference"),
        ir::Distribution::Local => json!("local"),
    }
}

/// The relations that lead to the tenant: an empty list for a tenant itself, and null if the rows belong to no tenant.
fn tenant(walker: ModelWalker<'_>) -> Value {
    match &walker.model().tenancy {
        ir::Tenancy::Shared => Value::Null,
        ir::Tenancy::Tenant => json!([]),
        ir::Tenancy::Within(path) => {
            let names: Vec<_> = path.iter().map(|id| walker.schema.walk_field(*id).name()).collect();
            json!(names)
        }
    }
}

fn index<'s>(walker: ModelWalker<'s>, index: &'s Index) -> Key<'s> {
    Key {
        unique: Some(index.unique),
        name: index.name.as_deref(),
        rust_name: index.rust_ident.as_deref(),
        constraint: &index.constraint_name,
        method: Some(format!("{:?}", index.method)),
        fields: index_fields(walker, &index.fields),
        predicate: index.predicate.as_deref(),
        ..key(walker, &index.options)
    }
}

fn exclusion<'s>(walker: ModelWalker<'s>, exclusion: &'s ir::Exclusion) -> Key<'s> {
    let mut key = Key { unique: None, ..index(walker, &exclusion.index) };
    for (field, operator) in key.fields.iter_mut().zip(&exclusion.operators) {
        field["with"] = json!(operator);
    }
    key
}

/// A key with only its options.
fn key<'s>(walker: ModelWalker<'s>, options: &'s KeyOptions) -> Key<'s> {
    Key {
        unique: None,
        name: None,
        rust_name: None,
        constraint: "",
        method: None,
        fields: Vec::new(),
        predicate: None,
        include: options.include.iter().map(|id| walker.schema.walk_field(*id).name()).collect(),
        nulls_not_distinct: options.nulls_not_distinct,
        deferrable: options.deferrable.map(|deferrable| format!("{deferrable:?}")),
        with: &options.storage,
    }
}

fn index_fields(walker: ModelWalker<'_>, fields: &[IndexField]) -> Vec<Value> {
    let each = fields.iter().map(|field| {
        let mut value = match &field.target {
            IndexTarget::Field(id) => json!({ "field": walker.schema.walk_field(*id).name() }),
            IndexTarget::Expression(sql) => json!({ "expression": sql }),
        };
        if let Some(sort) = field.sort {
            value["sort"] = json!(format!("{sort:?}"));
        }
        if let Some(nulls) = field.nulls {
            value["nulls"] = json!(format!("{nulls:?}"));
        }
        if let Some(class) = &field.operator_class {
            value["operatorClass"] = json!(class);
        }
        value
    });
    each.collect()
}

fn field(walker: FieldWalker<'_>) -> Field<'_> {
    let field = walker.field();
    let kind = match &field.kind {
        FieldKind::Column(known) => column(ColumnWalker { schema: walker.schema, id: walker.id }, known),
        FieldKind::Relation(_) => relation_field(RelationFieldWalker { schema: walker.schema, id: walker.id }),
    };
    let (name, rust_name) = (&field.name, &field.rust_ident);
    Field { name, rust_name, docs: field.docs.as_deref(), arity: arity(field.arity), ignored: field.ignored, kind }
}

fn column<'s>(walker: ColumnWalker<'s>, column: &'s Column) -> Kind<'s> {
    Kind::Column(Box::new(ColumnKind {
        db_name: &column.db_name,
        ty: column_type(walker),
        default: column.default.as_ref().map(|default| default_value(walker, default)),
        updated_at: column.updated_at,
        soft_delete: column.soft_delete,
        generated: column.generated.as_ref().map(|it| json!({ "sql": it.sql, "virtual": it.is_virtual })),
        identity: column.identity.as_ref().map(identity),
        collation: column.collation.as_ref().map(|it| json!({ "name": it.name, "schema": it.schema })),
        domain: column.domain.as_ref().map(|it| json!({ "name": it.name, "schema": it.schema })),
        rust: column.rust.as_deref(),
        json: column.json.map(|known| shape(walker.schema, known)),
        sensitive: column.sensitive,
        omitted: column.omitted,
        renamed_from: column.renamed_from.as_deref(),
        using: column.using.as_deref(),
    }))
}

/// The options that have PostgreSQL's default are null.
fn identity(identity: &Identity) -> Value {
    let SequenceOptions { increment, min, max, start, cache, cycle } = &identity.options;
    json!({
        "always": identity.always,
        "increment": increment,
        "min": min,
        "max": max,
        "start": start,
        "cache": cache,
        "cycle": cycle,
    })
}

fn relation_field(walker: RelationFieldWalker<'_>) -> Kind<'_> {
    Kind::Relation {
        model: walker.related_model().name(),
        relation: walker.relation().id.0,
        side: match walker.side() {
            Side::Referencing => "referencing",
            Side::Referenced => "referenced",
        },
    }
}

fn column_type(walker: ColumnWalker<'_>) -> Value {
    match &walker.column().ty {
        ColumnType::Scalar(scalar, native) => {
            let (name, arguments) = native_type(*native);
            json!({ "scalar": format!("{scalar:?}"), "native": { "name": name, "arguments": arguments } })
        }
        ColumnType::Enum(id) => json!({ "enum": walker.schema.walk_enum(*id).name() }),
        ColumnType::Unsupported(sql) => json!({ "unsupported": sql }),
    }
}

/// The name after `@db.`, and its arguments.
pub(super) fn native_type(native: NativeType) -> (String, Vec<u32>) {
    let arguments = match native {
        NativeType::Decimal(arguments) => arguments.map(|(precision, scale)| vec![precision, scale]),
        NativeType::VarChar(length) | NativeType::Char(length) | NativeType::Bit(length) => length.map(|it| vec![it]),
        NativeType::VarBit(length) => length.map(|it| vec![it]),
        NativeType::Timestamp(digits) | NativeType::Timestamptz(digits) => digits.map(|it| vec![it]),
        NativeType::Time(digits) | NativeType::Timetz(digits) => digits.map(|it| vec![it]),
        _ => None,
    };
    let name = format!("{native:?}");
    let name = name.split('(').next().unwrap_or_default().to_owned();
    (name, arguments.unwrap_or_default())
}

/// A literal as JSON, or `{"function": .., "arguments": [..]}` for a computed default.
fn default_value(walker: ColumnWalker<'_>, default: &DefaultValue) -> Value {
    let function = |name: &str, arguments: Vec<Value>| json!({ "function": name, "arguments": arguments });
    match default {
        DefaultValue::Literal(literal) => literal_value(literal),
        DefaultValue::EnumValue(position) => {
            let ColumnType::Enum(id) = walker.column().ty else { return Value::Null };
            let value = walker.schema.walk_enum(id).enumeration().values.get(*position);
            json!({ "enumValue": value.map(|value| &value.name) })
        }
        DefaultValue::List(values) => {
            json!({ "list": values.iter().map(|value| default_value(walker, value)).collect::<Vec<_>>() })
        }
        DefaultValue::Now => function("now", vec![]),
        DefaultValue::Autoincrement => function("autoincrement", vec![]),
        DefaultValue::Uuid(version) => function("uuid", vec![json!(version)]),
        DefaultValue::Cuid(version) => function("cuid", vec![json!(version)]),
        DefaultValue::Ulid => function("ulid", vec![]),
        DefaultValue::Nanoid(length) => function("nanoid", length.iter().map(|it| json!(it)).collect()),
        DefaultValue::DbGenerated(sql) => function("dbgenerated", sql.iter().map(|it| json!(it)).collect()),
    }
}

fn relation(walker: RelationWalker<'_>) -> Relation<'_> {
    let relation = walker.relation();
    let (referencing, referenced) = (walker.referencing_field(), walker.referenced_field());
    let mut models = [referencing.model().name(), referenced.model().name()];
    models.sort_unstable();
    let foreign_key = walker.foreign_key().map(|key| ForeignKey {
        constraint: &key.constraint_name,
        fields: walker.referencing_columns().map(ColumnWalker::name).collect(),
        references: walker.referenced_columns().map(ColumnWalker::name).collect(),
        on_delete: format!("{:?}", key.on_delete),
        on_update: format!("{:?}", key.on_update),
        one_to_one: key.one_to_one,
        deferrable: key.options.deferrable.map(|deferrable| format!("{deferrable:?}")),
        match_full: key.options.match_full,
        set_null: key.options.delete_fields.iter().map(|id| walker.schema.walk_field(*id).name()).collect(),
    });
    let join_table = match &relation.storage {
        RelationStorage::JoinTable { db_name, namespace } => Some(JoinTable { db_name, schema: namespace.as_deref() }),
        RelationStorage::ForeignKey(_) => None,
    };
    Relation {
        name: relation.name.clone().unwrap_or_else(|| models.join("To")),
        referencing: End { model: referencing.model().name(), field: referencing.field().name.as_str() },
        referenced: End { model: referenced.model().name(), field: referenced.field().name.as_str() },
        foreign_key,
        join_table,
    }
}
