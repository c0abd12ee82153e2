//! The role of a test's sessions, to which row security applies.

use relata_pgsql::{ident, literal};

/// A role with the privileges of an application: it reads and writes rows, and owns nothing.
pub(super) struct Role {
    name: String,
}

impl Role {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns SQL that creates the role, unless the server has it, and lets it use all schemas and their tables.
    pub(super) fn create_and_grant(&self) -> String {
        let (name, text) = (ident(&self.name), literal(&self.name));
        // Roles belong to the server, so another database may be creating the same one.
        let create = format!("CREATE ROLE {name}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;");
        let grant = format!(
            "EXECUTE format('GRANT USAGE ON SCHEMA %1$I TO %2$I; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %1$I TO %2$I; \
             GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %1$I TO %2$I', name, {text});"
        );
        format!(
            "{}; {};",
            block("", &create),
            block(
                "DECLARE name text; ",
                &format!(
                    "FOR name IN SELECT nspname FROM pg_namespace \
                     WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP {grant} END LOOP;"
                )
            )
        )
    }
}

/// An anonymous block. Its text is quoted, because a name may contain any delimiter of dollar quotes.
fn block(declarations: &str, body: &str) -> String {
    format!("DO {}", literal(&format!("{declarations}BEGIN {body} END")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_its_quotes() {
        let sql = Role::new("it's \"$$\"").create_and_grant();
        assert!(sql.contains(r#"CREATE ROLE "it''s ""$$""";"#), "{sql}");
        assert!(sql.contains(r#"name, ''it''''s "$$"''"#), "{sql}");
    }
}
