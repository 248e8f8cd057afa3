"""Prepare: a corpus's tables as Parquet files of id, text and label, one a split."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from stages.common import command, files, params
from stages.common.command import InputError
from stages.corpus.duplicates import KEPT_APART_FROM, Repeated
from stages.corpus.rows import read_rows, read_table, table_settings, warn
from stages.corpus.splits import files_of, hold_out_sentences, hold_out_share, warn_of_gaps

SCHEMA = pa.schema({"id": pa.string(), "text": pa.string(), "label": pa.int64()})


def read_splits(splits: dict, settings: dict, raw: Path) -> dict[str, Iterable[pd.DataFrame]]:
    """Blocks of rows of each split, those that are chosen by before those that are learned from.

    Files of their own are read as they are written. What is a share of the training rows is drawn from all of
    them at once; where `valid` is `sentences`, their rows that are parts of validation sentences become a fourth
    split, `valid_parts`: only a final fit may see them. `settings` are those of `read_rows`.
    """
    found = {name: read_rows(raw, file, **settings) for name, file in files_of(splits).items()}
    if len(found) == 3:
        return found
    found.pop("train")
    named = splits["train"] if isinstance(splits["train"], str) else ", ".join(splits["train"])
    train = read_table(raw, splits["train"], group=splits.get("group_by"), **settings)
    if "group" in train:
        warn_of_gaps(train["group"], named, splits["group_by"])
    try:
        for name in filter(lambda name: isinstance(splits[name], dict), ("test", "valid")):
            drawn = hold_out_share(train, **splits[name])
            found[name], train = [train[drawn]], train[~drawn]
        if splits["valid"] == "sentences":
            rest, valid, parts = hold_out_sentences(train["text"].tolist(), **splits["held_out"])
            found |= {"valid": [train.iloc[valid]], "valid_parts": [train.iloc[parts]]}
            train = train.iloc[rest]
    except ValueError as error:
        raise InputError(f"{named}: {error}; change splits in corpora/") from None
    found["train"] = [train]
    return {name: found[name] for name in KEPT_APART_FROM if name in found}


def write_split(path: Path, blocks: Iterable[pd.DataFrame], repeated: Repeated, labels: list[str]) -> int:
    """Write a split block by block; its number of rows."""
    counts = np.zeros(len(labels), dtype=int)
    with pq.ParquetWriter(path, SCHEMA) as writer:
        for block in blocks:
            rows = repeated.look_at(path.stem, block)
            counts += np.bincount(rows["label"], minlength=len(labels))
            writer.write_table(pa.Table.from_pandas(rows[SCHEMA.names], SCHEMA, preserve_index=False))
    if path.stem != "valid_parts" and not counts.all():
        missing = labels[counts.argmin()]
        advice = "add rows, take the class out of labels, or change splits in corpora/"
        raise InputError(f"{path.stem} is left without rows of the class {missing!r}; every split needs some: {advice}")
    return counts.sum()


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, raw=Path, out=Path)
    corpus = params.section("corpora", arguments.corpus)
    repeated, settings = Repeated(corpus["splits"]["repeated"]), table_settings(corpus)
    with files.new_folder(arguments.out) as folder:
        for name, blocks in read_splits(corpus["splits"], settings, arguments.raw).items():
            rows = write_split(folder / f"{name}.parquet", blocks, repeated, list(corpus["labels"]))
            print(f"{arguments.corpus} {name}: {rows:,} rows")
        repeated.warn()
        warn(settings["left_out"], settings["in_quotes"])


if __name__ == "__main__":
    command.run(main)
