//! The output and the prompts of commands.

pub(crate) mod output;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod report;
