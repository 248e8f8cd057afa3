"""Prepare: a corpus's tables as three Parquet files of id, text and label."""

from pathlib import Path

import pandas as pd

from stages.lib import command, files, params
from stages.lib.command import InputError
from stages.lib.corpora import read_table
from stages.lib.held_out import hold_out_sentences
from stages.lib.params import SPLITS


def split(corpus: dict, raw: Path) -> dict[str, pd.DataFrame]:
    """The rows of each split.

    Where `valid` is `sentences`, it is carved out of the training rows, and their rows that are parts of
    validation sentences become a fourth split, `valid_parts`: only a final fit may see them.
    """
    files_of = {name: file for name, file in corpus["splits"].items() if name in SPLITS and file != "sentences"}
    rows = {
        name: read_table(raw, file, **corpus["columns"], labels=corpus["labels"]) for name, file in files_of.items()
    }
    if "valid" not in rows:
        everything = rows["train"]
        try:
            train, valid, parts = hold_out_sentences(everything["text"].tolist(), **corpus["splits"]["held_out"])
        except ValueError as error:
            raise InputError(f"{files_of['train']}: {error}; lower splits.held_out.rows in params.yaml") from None
        rows |= {
            "train": everything.iloc[train],
            "valid": everything.iloc[valid],
            "valid_parts": everything.iloc[parts],
        }
        for name in ("train", "valid"):
            if rows[name]["label"].nunique() < len(corpus["labels"]):
                raise InputError(
                    f"{files_of['train']}: the sentences held out leave {name} without rows of every class; "
                    "change splits.held_out.rows in params.yaml"
                )
    return rows


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, raw=Path, out=Path)
    corpus = params.section("corpora", arguments.corpus)
    rows = split(corpus, arguments.raw)
    with files.new_folder(arguments.out) as folder:
        for name, frame in rows.items():
            frame.to_parquet(folder / f"{name}.parquet", index=False)
            print(f"{arguments.corpus} {name}: {len(frame):,} rows")


if __name__ == "__main__":
    command.run(main)
