//! The files of a project: its settings, its schema and queries, and its folder of migrations.

pub(crate) mod lock_file;
pub(crate) mod schema_files;
pub(crate) mod settings;
pub(crate) mod snapshot;
pub(crate) mod write;
