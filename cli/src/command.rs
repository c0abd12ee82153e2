//! One module for each command.

pub(crate) mod adopt;
mod attempts;
pub(crate) mod check;
pub(crate) mod db;
pub(crate) mod dev;
pub(crate) mod down;
pub(crate) mod explain;
pub(crate) mod fmt;
pub(crate) mod generate;
pub(crate) mod init;
pub(crate) mod ir;
pub(crate) mod lint;
pub(crate) mod migrate;
pub(crate) mod migrate_diff;
pub(crate) mod partitions;
pub(crate) mod rebase;
pub(crate) mod resolve;
mod schemas;
pub(crate) mod squash;
pub(crate) mod status;
pub(crate) mod verify;
