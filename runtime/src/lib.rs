//! What generated clients call, and the migration runner that a program can embed.

pub mod migrate;
