//! `db partitions`: creates the partitions of coming days, weeks, months or years.

use relata::migrate::{self, Ahead, NewPartition};
use relata_codegen::ir::{ColumnType, ModelWalker, NativeType, PartitionMethod, Schema};

use crate::args;
use crate::compare::endpoint::read_schema;
use crate::database::Database;
use crate::failure::{Exit, Failure};
use crate::project::schema_files;
use crate::terminal::output;

pub(crate) async fn partitions(args: &args::Partitions) -> Result<Exit, Failure> {
    let schema = read_schema(&schema_files::locate(args.schema.as_deref())?)?;
    let mut wanted = Ahead::new(args.every, args.ahead);
    for model in chosen(&schema, &args.model)? {
        let model = model.model();
        wanted = match &model.namespace {
            Some(namespace) => wanted.table_in(namespace, &model.db_name),
            None => wanted.table(&model.db_name),
        };
    }
    let database = Database::find(args.url.as_deref())?;
    let mut client = database.connect().await?;
    let options = database.migrate_options(&client, None).await?;
    if args.dry_run {
        for partition in migrate::missing_partitions(&client, &wanted, &options).await? {
            output::print(&format!("{};", partition.statements.join(";\n")))?;
        }
        return Ok(Exit::Done);
    }
    let created = migrate::create_partitions(&mut client, &wanted, &options).await?;
    for partition in &created {
        output::print(&line(partition))?;
    }
    if created.is_empty() {
        output::print(&format!("{database} already has these partitions"))?;
    }
    Ok(Exit::Done)
}

fn line(partition: &NewPartition) -> String {
    let NewPartition { table, name, from, to, .. } = partition;
    format!("+ {name}: {table} from {from} to {to}")
}

/// Returns the models with these names, or all that are partitioned by time.
fn chosen<'s>(schema: &'s Schema, names: &[String]) -> Result<Vec<ModelWalker<'s>>, Failure> {
    let all: Vec<_> = schema.walk_models().filter(|model| is_by_time(*model)).collect();
    let example = "`@@partitionBy(Range, [createdAt])`, with one field of type DateTime";
    if all.is_empty() {
        return Err(Failure::refused("no model of the schema is partitioned by ranges of time")
            .help(format!("write {example}, in a model")));
    }
    let known = || all.iter().map(|model| model.name()).collect::<Vec<_>>().join(", ");
    if let Some(name) = names.iter().find(|name| !all.iter().any(|model| model.name() == name.as_str())) {
        return Err(Failure::refused(format!("no model {name} is partitioned by ranges of time"))
            .help(format!("name one of {}, or write {example}, in {name}", known())));
    }
    Ok(all.into_iter().filter(|model| names.is_empty() || names.iter().any(|name| model.name() == name)).collect())
}

fn is_by_time(model: ModelWalker<'_>) -> bool {
    let Some(partitions) = &model.model().partitions else { return false };
    let [field] = partitions.fields.as_slice() else { return false };
    let column = model.columns().find(|column| column.id == *field);
    partitions.method == PartitionMethod::Range
        && column.is_some_and(|column| {
            matches!(
                column.column().ty,
                ColumnType::Scalar(_, NativeType::Date | NativeType::Timestamp(_) | NativeType::Timestamptz(_))
            )
        })
}
