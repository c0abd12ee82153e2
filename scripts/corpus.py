"""Shared by the Python scripts that use the corpus: its location, its schemas, and Prisma's answers for them.

The corpus and the oracle are those of scripts/corpus.sh: $RELATA_CORPUS and $RELATA_ORACLE, else ../shared/corpus and
../shared/oracle/oracle. If they are missing, nothing is measured, and the script says so and exits with 1.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def place(variable, default):
    path = Path(os.environ.get(variable, ROOT / default))
    if path.name == "oracle" and path.is_dir():
        path = path / "oracle"
    if not path.exists():
        script = Path(sys.argv[0]).name
        print(f"{script}: nothing found at {path}: NOTHING WAS MEASURED\nset {variable}", file=sys.stderr)
        sys.exit(1)
    return path.resolve()


def corpus_folder():
    return place("RELATA_CORPUS", "../shared/corpus")


def oracle_command():
    return place("RELATA_ORACLE", "../shared/oracle/oracle")


def built(package, name):
    """Builds a binary of the workspace and returns its path."""
    subprocess.run(["cargo", "build", "-q", "-p", package, "--bin", name], cwd=ROOT, check=True)
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / name


def valid_schemas(corpus, under):
    """The paths of all schemas under a folder of the corpus that Prisma accepts; "" selects all folders."""
    rows = [line.split("\t") for line in (corpus / "EXPECTED.tsv").read_text().splitlines()[1:]]
    return [row[0] for row in rows if row[1] == "ok" and row[0].startswith(under) and not row[0].endswith(".sql")]


DATASOURCE = 'datasource db {\n  provider = "postgresql"\n}\n'


def with_datasource(path, folder):
    """`path`, or a copy in `folder` with a datasource if the schema has none: Prisma requires one."""
    texts = sources(path)
    if any(line.lstrip().startswith("datasource ") for _, text in texts for line in text.splitlines()):
        return path
    copy = Path(folder) / f"{path.parent.name}_{path.name}"
    copy.write_text("\n".join(text for _, text in texts) + "\n" + DATASOURCE)
    return copy


def sources(path):
    files = sorted(p for p in path.rglob("*") if p.suffix in (".prisma", ".dsl")) if path.is_dir() else [path]
    return [[str(file), file.read_text()] for file in files]


class Oracle:
    """Asks `oracle serve` for Prisma's answers: each request and each response is a line of JSON."""

    def __init__(self):
        self.process = subprocess.Popen([oracle_command(), "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, op, path, **more):
        self.process.stdin.write(json.dumps({"id": 1, "op": op, "src": sources(path), **more}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def dmmf(self, path):
        answer = self.ask("dmmf", path)
        if not answer["ok"]:
            raise ValueError(answer.get("error"))
        out = answer["out"]
        return json.loads(out) if isinstance(out, str) else out
