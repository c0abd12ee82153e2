//! The codes of all diagnostics that the compiler emits.

use super::Severity;

/// A kind of diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// `R` and four digits; never reused.
    pub code: &'static str,
    /// Error, warning or note.
    pub severity: Severity,
    /// The title.
    pub title: &'static str,
    /// The reason, in Markdown, with an example that is refused and one that is accepted.
    pub explanation: &'static str,
}

impl Code {
    /// Returns the examples of the explanation: the first emits this code, the second emits nothing.
    ///
    /// ```
    /// let code = relata_codegen::diagnostics::find_code("r0301").unwrap();
    /// assert!(code.examples().next().unwrap().contains("Strng"));
    /// ```
    pub fn examples(&self) -> impl Iterator<Item = &'static str> + use<> {
        let fence = if self.is_about_queries() { "```sql\n" } else { "```dsl\n" };
        let blocks = self.explanation.split(fence).skip(1);
        blocks.filter_map(|block| Some(block.split_once("```")?.0))
    }

    /// Whether it concerns a query file. Its examples then are query files, whose first line names the file.
    pub fn is_about_queries(&self) -> bool {
        self.code.starts_with("R10")
    }

    /// Whether only a database can find it: `codegen check --database`.
    pub fn is_of_databases(&self) -> bool {
        matches!(self.code, "R1016" | "R1017" | "R1019")
    }
}

/// Returns the code with that name; case does not matter.
pub fn find_code(code: &str) -> Option<&'static Code> {
    CODES.iter().copied().find(|known| known.code.eq_ignore_ascii_case(code))
}

macro_rules! codes {
    ($($code:ident $name:ident $severity:ident $title:literal,)*) => {
        $(pub(crate) const $name: &Code = &Code {
            code: stringify!($code),
            severity: Severity::$severity,
            title: $title,
            explanation: include_str!(concat!("explain/", stringify!($code), ".md")),
        };)*

        /// All codes, in order.
        pub const CODES: &[&Code] = &[$($name),*];
    };
}

codes! {
    // Syntax.
    R0101 STRAY_LINE Error "A line that is not part of any block",
    R0102 UNKNOWN_BLOCK Error "An unknown kind of block",
    R0103 INVALID_LINE Error "A line that the block cannot contain",
    R0104 STRAY_TEXT Error "Unexpected text at the end of a line",
    R0105 UNCLOSED_BLOCK Error "A block that is never closed",
    R0106 CROWDED_LINE Error "More than one item on a line",
    R0107 MISSING_TYPE Error "A field without a type",
    R0108 OLD_SYNTAX Error "Syntax of early versions",
    R0109 OPTIONAL_LIST Error "An optional list",
    R0110 BROKEN_ARGUMENTS Error "Arguments that cannot be parsed",
    R0111 TRAILING_COMMA Error "A trailing comma",
    R0112 MISSING_VALUE Error "A name without a value",
    R0113 BAD_ESCAPE Error "An unknown escape in a string",
    R0114 INVALID_NAME Error "A name with invalid characters",
    R0115 TYPE_ALIAS Error "A type alias",
    R0116 UNCLOSED_COMMENT Error "A comment that is never closed",
    R0117 TOO_DEEP Error "Brackets nested too deep",
    R0118 NOT_TEXT Error "A character that is not text",
    R0119 EMPTY_SCHEMA Error "A schema without models",
    R0120 COMPOSITE_TYPE Error "A field of a `type` block without `@json`",
    R0121 READ_OVER Warning "Text after a property, which is ignored",

    // Names.
    R0201 DUPLICATE_NAME Error "A name that is declared twice",
    R0202 DUPLICATE_FIELD Error "A field that is declared twice",
    R0203 DUPLICATE_VALUE Error "An enum value that is declared twice",
    R0204 RESERVED_NAME Error "A reserved name",
    R0205 EMPTY_ENUM Error "An enum without values",
    R0206 DUPLICATE_TABLE Error "Two tables or types with one name in the database",
    R0207 DUPLICATE_COLUMN Error "Two fields with one column",
    R0208 RUST_NAME_CLASH Warning "Two names that are the same in Rust",
    R0209 NOT_A_RUST_NAME Error "A name that is not a Rust identifier",
    R0210 EMPTY_DATABASE_NAME Error "An empty name in the database",
    R0211 NAME_TOO_LONG Error "A name that is too long for PostgreSQL",
    R0212 DUPLICATE_CONSTRAINT Error "Two constraints or indexes with one name",
    R0213 UNKNOWN_MIXIN Error "An unknown mixin",
    R0214 MIXIN_CIRCLE Error "A mixin that contains itself",
    R0215 REPEATED_MIXIN Error "A mixin that is included twice",
    R0216 RELATION_IN_MIXIN Error "A relation in a mixin",
    R0217 SHADOWED_NAME Warning "A name that PostgreSQL has for itself",
    R0218 CHOSEN_RUST_NAME Error "A Rust name that cannot be chosen",

    // Types.
    R0301 UNKNOWN_TYPE Error "An unknown type",
    R0302 UNKNOWN_NATIVE_TYPE Error "An unknown native type",
    R0303 NATIVE_TYPE_MISMATCH Error "A native type that does not fit the field",
    R0304 NATIVE_TYPE_ARGUMENTS Error "Wrong arguments of a native type",
    R0305 WRONG_FIELD_TYPE Error "An attribute that does not fit the field's type",
    R0306 MORE_THAN_A_TYPE Error "Something else than a type in `Unsupported`",
    R0307 DOMAIN_COLUMN Error "A domain where PostgreSQL needs a type",
    R0308 RUST_TYPE Error "Something else than the path of a Rust type or derive",
    R0309 RUST_TYPE_OF_REFERENCE Error "A foreign key with another Rust type than what it references",
    R0310 JSON_ATTRIBUTE Error "`@json` on a field whose type is not a `type` block",
    R0311 INFINITE_TYPE Error "A type that always contains itself",
    R0312 TYPE_FIELD Error "A field that a `type` block cannot have",
    R0313 LARGE_TYPE Error "A type that is too large for the client",

    // Attributes and their arguments.
    R0401 UNKNOWN_ATTRIBUTE Error "An unknown attribute",
    R0402 REPEATED_ATTRIBUTE Error "An attribute that is written twice",
    R0403 MISPLACED_ATTRIBUTE Error "An attribute in the wrong place",
    R0404 UNKNOWN_ARGUMENT Error "An unknown argument",
    R0405 REPEATED_ARGUMENT Error "An argument that is given twice",
    R0406 MISSING_ARGUMENT Error "A missing argument",
    R0407 UNSUPPORTED_ARGUMENT Error "An argument for other databases",
    R0408 WRONG_VALUE Error "A value of the wrong kind",
    R0409 EMPTY_LIST Error "An empty list",
    R0410 UNKNOWN_FIELD Error "An unknown field",
    R0411 RELATION_IN_KEY Error "A relation where a column belongs",
    R0412 IGNORED_ARGUMENT Warning "An argument without effect",

    // Defaults.
    R0501 DEFAULT_MISMATCH Error "A default of a different type than the field",
    R0502 UNKNOWN_VALUE Error "An unknown enum value",
    R0503 UNKNOWN_FUNCTION Error "An unknown function",
    R0504 FUNCTION_ARGUMENTS Error "Wrong arguments of a function",
    R0505 DEFAULT_OUT_OF_RANGE Warning "A default that the column cannot hold",
    R0506 GENERATED_COLUMN Error "A generated column to which something else writes",

    // Keys and indexes.
    R0601 NO_KEY Error "A model without a key",
    R0602 TWO_IDS Error "A model with two ids",
    R0603 ID_NOT_REQUIRED Error "An id that is not required",
    R0604 REPEATED_KEY_FIELD Error "A key that names a field twice",
    R0605 KEY_NAME_CLASH Error "A key whose name is taken",
    R0606 NOT_INDEXABLE Error "A type that cannot be indexed",
    R0607 INDEX_METHOD Error "An index type that does not fit",
    R0608 OPERATOR_CLASS Error "An operator class that does not fit",
    R0609 KEY_ON_VIEW Error "A key or index on a view",
    R0610 DEFERRABLE_KEY Error "A deferrable key that PostgreSQL cannot use here",
    R0611 EXCLUSION_CONSTRAINT Error "An exclusion constraint that PostgreSQL cannot use",
    R0613 KEY_WITHOUT_PARTITION Error "A key without the partition key",
    R0614 PARTITION_KEY Error "A partition key that PostgreSQL cannot use",

    // Relations.
    R0701 MISSING_BACK_RELATION Error "A relation with only one side",
    R0702 AMBIGUOUS_RELATION Error "Relations that cannot be told apart",
    R0703 MISSING_FIELDS Error "A relation without columns",
    R0704 BOTH_SIDES_STORE Error "A relation with columns on both sides",
    R0705 ARGUMENT_ON_WRONG_SIDE Error "An argument on the wrong side of a relation",
    R0706 REQUIRED_BACK_RELATION Error "A required side without columns",
    R0707 LENGTH_MISMATCH Error "Lists of different length",
    R0708 REFERENCE_TYPE Error "A reference to a column of another type",
    R0709 REFERENCES_NOT_UNIQUE Error "A reference to fields that are not unique",
    R0710 ONE_TO_ONE_NOT_UNIQUE Error "A one-to-one relation whose columns are not unique",
    R0711 RELATION_ARITY Error "A required relation with nullable columns",
    R0712 SET_NULL_ON_REQUIRED Warning "SetNull on a required column",
    R0713 MANY_TO_MANY_ID Error "A many-to-many relation to a model without a single id",
    R0714 IGNORED_TARGET Error "A relation to an ignored model",
    R0715 NATIVE_REFERENCE_TYPE Warning "A reference between types that PostgreSQL cannot compare",
    R0716 UNINDEXED_RELATION Warning "A relation whose columns have no index",
    R0717 SET_NULL_COLUMNS Error "Columns of `setNull` that `onDelete` cannot set",
    R0718 UNLOGGED_TARGET Error "A reference from a logged table to an unlogged one",

    // Datasource and generator.
    R0801 UNKNOWN_PROVIDER Error "A database that is not PostgreSQL",
    R0802 TWO_DATASOURCES Error "A second datasource",
    R0803 UNKNOWN_PROPERTY Error "An unknown property of the datasource",
    R0804 REPEATED_PROPERTY Error "A property that is set twice",
    R0805 MISSING_PROPERTY Error "A missing property",
    R0806 UNKNOWN_NAMESPACE Error "A schema that the datasource does not list",
    R0807 MISSING_NAMESPACE Error "A model or enum without a schema",
    R0808 SHADOW_IS_DATABASE Error "A shadow database that is the database itself",
    R0809 OLD_PROPERTY Warning "A property with an old name",
    R0810 OTHER_GENERATOR Note "A generator of another tool",
    R0811 PREVIEW_FEATURE Note "A preview feature",
    R0812 NO_FOREIGN_KEYS Warning "A database without foreign keys",
    R0813 UNLISTED_EXTENSION Warning "An extension that is used and not listed",

    // Tenants.
    R0901 TENANT_PATH Error "A `@@tenant` that does not lead to a tenant",
    R0902 TWO_TENANT_MODELS Error "A second model with `@@tenant`",
    R0903 TENANT_ID Error "A tenant whose id is not a single field",
    R0904 UNDECLARED_TENANCY Error "A model that does not declare whose rows it contains",
    R0905 TENANCY_TWICE Error "A model that is shared and belongs to a tenant",
    R0906 RELATION_ACROSS_TENANTS Warning "A relation that can join rows of two tenants",
    R0907 KEY_ACROSS_TENANTS Warning "A unique key across all tenants",
    R0908 ROW_SECURITY Error "Row security without a tenant that the client can set",
    R0909 TENANT_COLUMN_ALONE Warning "A column for the tenant without a relation to it",

    // Queries.
    R1001 QUERY_FILE_NAME Error "A file name that is not a function name",
    R1002 QUERY_SYNTAX Error "A statement that cannot be parsed",
    R1003 QUERY_UNKNOWN_TABLE Error "An unknown table",
    R1004 QUERY_UNKNOWN_COLUMN Error "An unknown column",
    R1005 QUERY_AMBIGUOUS_COLUMN Error "An ambiguous name",
    R1006 QUERY_PARAMETERS Error "Parameters with gaps in their numbers",
    R1007 QUERY_TYPES Error "Incompatible types",
    R1008 QUERY_STATEMENTS Error "A file without exactly one statement",
    R1009 QUERY_COLUMN_NAME Note "A column whose field has another name",
    R1010 QUERY_NOT_DERIVED Error "A type that cannot be inferred",
    R1011 QUERY_ANNOTATION Error "An annotation that cannot be parsed",
    R1012 QUERY_CONTRADICTION Error "An annotation that contradicts the statement",
    R1013 QUERY_NO_RUST_TYPE Error "A type that the client does not have",
    R1014 QUERY_SHAPE Error "A wrong number of columns",
    R1015 QUERY_LEFT_OUT Warning "An INSERT that omits a required column",
    R1016 QUERY_REFUSED Error "A statement that PostgreSQL refuses",
    R1017 QUERY_DIFFERS Error "A type that differs in PostgreSQL",
    R1018 QUERY_NAME_CLASH Warning "Two query files with one name in Rust",
    R1019 QUERY_SCANS Warning "A query that reads all rows of a large table",

    // Citus.
    R1101 DISTRIBUTION_WITHOUT_CITUS Error "A distribution in a schema that is not for Citus",
    R1102 DISTRIBUTION_TWICE Error "A model with two distributions",
    R1103 DISTRIBUTION_COLUMN Error "A distributed model without a column to distribute it by",
    R1104 KEY_ACROSS_SHARDS Error "A unique key that Citus cannot enforce",
    R1105 RELATION_ACROSS_SHARDS Error "A relation that Citus cannot enforce",
    R1106 ACTION_ACROSS_SHARDS Error "A referential action that Citus refuses",
    R1107 CITUS_ROW_SECURITY Error "Row security on Citus",
    R1108 CITUS_MONEY Error "The type money on Citus",
    R1109 TENANT_PATH_ACROSS_SERVERS Error "A path to the tenant that Citus cannot follow",

    // Views.
    R1201 VIEW_QUERY Error "A text that is not the query of a view",
    R1202 VIEW_TWICE Error "A view with two queries",
    R1203 VIEW_FILE Warning "A file that belongs to no view",

    // Functions, procedures, triggers and policies.
    R1301 SQL_OBJECT Error "A statement in `sql` that cannot be read",
    R1302 SQL_OBJECT_TWICE Error "Two statements for one object",
    R1303 SQL_OBJECT_TABLE Error "A trigger or a policy on an unknown table",
    R1304 SQL_OBJECT_SCHEMA Warning "An object in a schema that the datasource does not list",
    R1305 SQL_OBJECT_UNMANAGED Note "A statement in `sql` that migrations do not execute",
    R1306 POLICY_BESIDE_TENANTS Warning "A policy that shows rows of other tenants",

    // Rows that are marked as deleted, and scopes.
    R1401 SOFT_DELETE Error "A field that cannot mark deleted rows",
    R1402 KEY_OF_DELETED_ROWS Warning "A unique key that deleted rows keep",
    R1403 OUTLIVED_PARENT Warning "Rows that stay when their parent is marked as deleted",
    R1404 SCOPE Error "A scope that cannot be applied",

    // Recorded changes.
    R1501 AUDITED Error "A model whose changes cannot be recorded",
    R1502 AUDIT_EXCEPT Error "A field that recorded changes need",
}
