# Sourced by the scripts that measure the compiler against a corpus of real schemas and Prisma's answers.
#
# The corpus is a folder with EXPECTED.tsv: path, `ok` or `error`, .. in its columns; a path is a file, or a
# folder that is one schema. It is at $RELATA_CORPUS, else beside the checkout in ../shared/corpus.
# The oracle is a command that answers for Prisma. It is at $RELATA_ORACLE, else ../shared/oracle/oracle.
# Neither is part of the project, and no test needs them: without them nothing is measured, and the script
# that asked says so and fails.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
corpus=${RELATA_CORPUS:-$root/../shared/corpus}
oracle=${RELATA_ORACLE:-$root/../shared/oracle/oracle}
if [ -d "$oracle" ]; then oracle=$oracle/oracle; fi
script=$(basename "$0")

absent() {
  printf '%s: there is no %s at %s: NOTHING WAS MEASURED\n' "$script" "$1" "$2" >&2
  echo "set $3 to where it is" >&2
  exit 1
}

need_corpus() {
  [ -f "$corpus/EXPECTED.tsv" ] || absent corpus "$corpus" RELATA_CORPUS
  corpus=$(cd "$corpus" && pwd)
}

need_oracle() {
  [ -x "$oracle" ] || absent oracle "$oracle" RELATA_ORACLE
  oracle=$(cd "$(dirname "$oracle")" && pwd)/$(basename "$oracle")
}

# The paths of all schemas that Prisma takes, under the folder $1 of the corpus; without $1 all of them.
valid_schemas() {
  awk -F '\t' -v under="${1:-}" 'NR > 1 && $2 == "ok" && $1 !~ /\.sql$/ && index($1, under) == 1 { print $1 }' \
    "$corpus/EXPECTED.tsv"
}

# Builds the command `codegen` and puts its path into $codegen.
need_codegen() {
  (cd "$root" && cargo build -q -p relata-cli)
  codegen=${CARGO_TARGET_DIR:-$root/target}/debug/codegen
}
