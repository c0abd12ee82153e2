# Sourced by the scripts that measure the compiler against a corpus of real schemas and Prisma's answers.
#
# The corpus is a folder with EXPECTED.tsv. Its columns are the path, `ok` or `error`, and more. A path is a file, or a
# folder that is one schema. The corpus is at $RELATA_CORPUS, else next to the checkout in ../shared/corpus.
# The oracle is a command that returns what Prisma would. It is at $RELATA_ORACLE, else at ../shared/oracle/oracle.
# Neither is part of the project, and no test needs them. If they are missing, nothing is measured, and the script says
# so and fails.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
corpus=${RELATA_CORPUS:-$root/../shared/corpus}
oracle=${RELATA_ORACLE:-$root/../shared/oracle/oracle}
if [ -d "$oracle" ]; then oracle=$oracle/oracle; fi
script=$(basename "$0")

absent() {
  printf '%s: no %s at %s: NOTHING WAS MEASURED\n' "$script" "$1" "$2" >&2
  echo "set $3 to its location" >&2
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

# Prints the paths of all schemas under the folder $1 of the corpus that Prisma accepts; without $1, of all folders.
valid_schemas() {
  awk -F '\t' -v under="${1:-}" 'NR > 1 && $2 == "ok" && $1 !~ /\.sql$/ && index($1, under) == 1 { print $1 }' \
    "$corpus/EXPECTED.tsv"
}

# Builds the command `codegen` and puts its path into $codegen.
need_codegen() {
  (cd "$root" && cargo build -q -p relata-cli)
  codegen=${CARGO_TARGET_DIR:-$root/target}/debug/codegen
}
