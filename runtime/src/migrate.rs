//! The history of migrations in a database, and the runner that brings it up to date.
