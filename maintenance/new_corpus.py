"""Make a corpus of a person's table: `make corpus NAME=mine FILE=reviews.csv TEXT=Review LABEL=Rating`.

What is wrong with the table is said before anything is written; what a person can change later is assumed and said.
"""

import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

from maintenance.corpus_files import class_names, corpus_text, run_text
from maintenance.own_labels import count_labels
from maintenance.own_table import SHARES, draw_splits, find_format
from stages.common import command
from stages.common.command import InputError
from stages.common.files import home_path, new_file, new_folder
from stages.common.params import Validator, schema
from stages.corpus.rows import read_table, tables_of

NEEDED = ("NAME", "FILE", "TEXT", "LABEL")
USAGE = "make corpus NAME=mine FILE=reviews.csv TEXT=<column> LABEL=<column>, and where needed GROUP=<column>"


def read_arguments() -> dict[str, str]:
    """What make hands on, as `KEY=value`."""
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    for key in NEEDED:
        if not given.get(key):
            raise InputError(f"{key} is missing; call {USAGE}")
    return given


def new_paths(name: str, table: Path) -> tuple[Path, Path, Path]:
    """Where the table, the corpus and the run will be.

    Raises:
        InputError: a name that the pipeline does not take, no such table, or one of the three is there already.
    """
    of_name = schema()["$defs"]["corpus_name"]
    if not Validator(of_name).is_valid(name):
        raise InputError(f"NAME is {name!r}; it should be {of_name['description']}")
    if not (table.is_file() or table.is_dir()):
        raise InputError(f"there is no file {table}; correct FILE, the path of your table or of a folder of tables")
    if not table.name.isprintable():
        raise InputError(f"the name {table.name!r} holds signs that cannot be shown; rename the file")
    if table.name.startswith("\\"):  # which Windows reads as the root
        raise InputError(f"the name {table.name} begins with a backslash; rename the file")
    paths = Path("data", name, table.name), Path("corpora", f"{name}.yaml"), Path("runs", f"{name}.yaml")
    if there := [str(path) for path in paths if path.exists() and not path.samefile(table)]:
        raise InputError(f"there already, and left as is: {', '.join(there)}; remove that, or choose another NAME")
    return paths


def main() -> None:
    given = read_arguments()
    name, text, label, group = given["NAME"], given["TEXT"], given["LABEL"], given.get("GROUP") or None
    table = home_path(given["FILE"], "FILE")
    table = table.resolve() if table.is_dir() else table  # so that it has a name
    copy, corpus, run = new_paths(name, table)
    columns = [column for column in (text, label, group) if column]
    if label in (text, group):
        raise InputError(f"LABEL is {label!r}, and so is {'TEXT' if label == text else 'GROUP'}; name two columns")
    file = f"{table.name}/" if table.is_dir() else table.name
    tables = [table.parent / part for part in tables_of(table.parent, file)]
    format = find_format(tables, columns, given.get("ENCODING"))
    left_out = given["LEFT_OUT"].split(",") if "LEFT_OUT" in given else []
    counts, forms, left_out = count_labels(tables, columns, label, format, left_out)
    names = class_names(counts)
    labels = {name: forms[value] if len(forms[value]) > 1 else value for name, value in names.items()}
    described = {"text": text, "label": label, "labels": labels, "group": group}
    rows = read_table(table.parent, file, **described, left_out_labels=left_out, **format)
    try:
        seed, sizes = draw_splits(rows)
    except ValueError as error:
        shared = f"a text or a {group!r}" if group else "a text"
        rare = min(counts, key=counts.get)
        advice = f"add rows, as too many share {shared} or a class such as {rare[:40]!r} has few ({counts[rare]})"
        raise InputError(f"{table.name} cannot be split: {error}; {advice}") from None

    described |= {"file": file, "format": format, "left_out": left_out}
    with ExitStack() as stack:  # all three files appear, or none
        if not copy.exists() and table.is_dir():
            hidden = shutil.ignore_patterns(".*", "_*")
            shutil.copytree(table, stack.enter_context(new_folder(copy)), ignore=hidden, dirs_exist_ok=True)
        elif not copy.exists():
            shutil.copyfile(table, stack.enter_context(new_file(copy)))
        content = corpus_text(name, len(rows), **described, **SHARES, seed=seed)
        stack.enter_context(new_file(corpus)).write_text(content, encoding="utf-8")
        stack.enter_context(new_file(run)).write_text(run_text(name, len(rows)), encoding="utf-8")

    if not copy.samefile(table):
        print(f"copied {table} to {copy}")
    print(f"wrote {corpus}, what the corpus is, and {run}, what is built of it; change them as you like. Assumed:")
    print(f"  rows     {len(rows):,} of text {text!r} and label {label!r}; format {format or 'as the name says'}")
    classes = [f"{key} ({' or '.join(map(repr, forms[value]))}) {counts[value]:,}" for key, value in names.items()]
    print(f"  classes  {', '.join(classes)}")
    if left_out:
        print(f"  left out {', '.join(f'{value!r} {rows_of:,}' for value, rows_of in left_out.items())}")
    together = f"same text or {group!r}" if group else "same text"
    print(f"  splits   {', '.join(f'{split} {size:,}' for split, size in sizes.items())}, the {together} in one only")
    print(f"`git add` would commit the texts in {copy.parent}; `echo /{copy.parent}/ >> .gitignore` leaves them out")
    print(f"next: make repro RUN={name}")


if __name__ == "__main__":
    command.run(main)
