//! The typed client: from an IR to Rust files.
//!
//! Infallible and pure: validation refuses everything that could not be emitted. The files are thin: structs,
//! constants, one decoder and the slots of relations. All work is done in the runtime, which they reach through one
//! path, `rt`.

mod client;
mod context;
mod create;
mod docs;
mod enumeration;
mod factory;
mod features;
mod json_type;
mod key;
mod model;
mod omitted;
mod queries;
mod relation;
mod scalar;
mod scope;
mod sensitive;
mod serde;
mod soft_delete;
mod table;
mod tenancy;

use std::num::NonZero;
use std::ops::Range;
use std::thread;

use proc_macro2::TokenStream;

use crate::ir::Schema;
use crate::queries::Query;
use context::{EmitCx, EnumNames, ModelNames, TypeNames};

/// Options of the output.
#[derive(Debug, Clone)]
pub struct EmitOptions {
    /// The schema's file name, for the header of each file.
    pub source: String,
    /// Whether `lib.rs` is the root of a crate, and so begins with crate documentation. Files that are included with
    /// `relata::include_client!()` cannot have any.
    pub crate_root: bool,
}

/// A file of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Relative to the output folder: `lib.rs`, `student.rs`.
    pub path: String,
    /// Its content, formatted.
    pub text: String,
}

/// The number of files that make another thread worthwhile.
const FILES_PER_WORKER: usize = 64;

/// Returns the files of the client: first `lib.rs`, then one per model, enum and `type`, sorted by name.
///
/// Large schemas are emitted by several threads. The number of threads does not affect the files.
pub fn emit(schema: &Schema, options: &EmitOptions) -> Vec<GeneratedFile> {
    emit_with_queries(schema, &[], options)
}

/// Like [`emit`], with a file of queries if there are any.
pub fn emit_with_queries(schema: &Schema, queries: &[Query], options: &EmitOptions) -> Vec<GeneratedFile> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    emit_with_threads(schema, queries, options, processors)
}

/// Like [`emit_with_queries`], with a maximum number of threads.
pub fn emit_with_threads(
    schema: &Schema,
    queries: &[Query],
    options: &EmitOptions,
    threads: usize,
) -> Vec<GeneratedFile> {
    let cx = EmitCx::new(schema);
    let lib = client::emit_lib(&cx, !queries.is_empty(), options);
    let mut files = vec![GeneratedFile { path: "lib.rs".to_owned(), text: lib }];
    let count = modules(&cx, queries).len();
    let each = count.div_ceil(threads.min(count.div_ceil(FILES_PER_WORKER)).max(1));
    thread::scope(|scope| {
        // Identifiers belong to the thread that created them, so each worker has its own context.
        let work = |start| move || emit_files(&EmitCx::new(schema), queries, options, start..count.min(start + each));
        let workers: Vec<_> = (each..count).step_by(each.max(1)).map(|start| scope.spawn(work(start))).collect();
        files.extend(emit_files(&cx, queries, options, 0..each.min(count)));
        for worker in workers {
            match worker.join() {
                Ok(more) => files.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    files
}

/// The modules of the client in the order of their names.
fn modules<'a, 's>(cx: &'a EmitCx<'s>, queries: &'a [Query]) -> Vec<(&'a str, Module<'a, 's>)> {
    let mut modules = vec![(client::MODULE, Module::Client)];
    modules.extend(cx.models.iter().map(|model| (model.file_name.as_str(), Module::Model(model))));
    modules.extend(cx.enums.iter().map(|known| (known.file_name.as_str(), Module::Enum(known))));
    modules.extend(cx.types.iter().map(|known| (known.file_name.as_str(), Module::Type(known))));
    if !queries.is_empty() {
        modules.push((queries::MODULE, Module::Queries(queries)));
    }
    modules.sort_by_key(|(name, _)| *name);
    modules
}

/// Turns each file into text before the next one begins, because tokens take much more memory than text.
fn emit_files(cx: &EmitCx<'_>, queries: &[Query], options: &EmitOptions, range: Range<usize>) -> Vec<GeneratedFile> {
    let emit_file = |(name, module): &(&str, Module<'_, '_>)| GeneratedFile {
        path: format!("{name}.rs"),
        text: format!("{}{}", header(options), format_tokens(|| emit_module(cx, module))),
    };
    modules(cx, queries).get(range).unwrap_or_default().iter().map(emit_file).collect()
}

/// The content of a file.
enum Module<'a, 's> {
    Client,
    Model(&'a ModelNames<'s>),
    Enum(&'a EnumNames<'s>),
    Type(&'a TypeNames<'s>),
    Queries(&'a [Query]),
}

fn emit_module(cx: &EmitCx<'_>, module: &Module<'_, '_>) -> TokenStream {
    match module {
        Module::Client => client::emit_client(cx),
        Module::Model(model) => model::emit_model(cx, model),
        Module::Enum(known) => enumeration::emit_enum(cx, known),
        Module::Type(known) => json_type::emit_type(cx, known),
        Module::Queries(queries) => queries::emit_queries(cx, queries),
    }
}

fn header(options: &EmitOptions) -> String {
    format!("// @generated by Relata from {}: edit that file, not this one.\n\n", options.source)
}

/// Formats a file. Tokens that are not valid Rust would be a bug of this module; they are printed without formatting,
/// so that rustc reports the place.
fn format_tokens(tokens: impl Fn() -> TokenStream) -> String {
    match syn::parse2(tokens()) {
        Ok(file) => prettyplease::unparse(&file),
        Err(_) => tokens().to_string(),
    }
}
