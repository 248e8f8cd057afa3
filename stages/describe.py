"""Describe: what a corpus is, in figures: rows, balance, lengths, vocabulary (the notebook's K2.0 to K2.2)."""

from collections import Counter
from pathlib import Path

import pandas as pd

from stages.lib import command, files, params
from stages.lib.corpora import read_split, read_table
from stages.lib.text import split_words


def describe_split(rows: pd.DataFrame, labels: dict[str, str], tokenizer: str) -> dict:
    """Rows, distinct texts, rows of each class, and words in a row."""
    words = pd.Series([len(words) for words in split_words(rows["text"], tokenizer)])
    return {
        "rows": len(rows),
        "distinct_texts": rows["text"].nunique(),
        "labels": {name: int((rows["label"] == number).sum()) for number, name in enumerate(labels)},
        "words": {"mean": round(words.mean(), 2), "median": int(words.median()), "max": int(words.max())},
    }


def describe_vocabulary(texts: pd.Series, tokenizer: str) -> dict:
    """Sizes of the vocabulary of all training rows, held out or not, as the notebook counts them."""
    counts = Counter(word for words in split_words(texts, tokenizer) for word in words)
    seen_twice = sum(count >= 2 for count in counts.values())
    return {
        "with_unknown": len(counts) + 1,
        "with_unknown_and_padding": len(counts) + 2,
        "seen_twice_with_unknown_and_padding": seen_twice + 2,
        "seen_once": len(counts) - seen_twice,
    }


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, raw=Path, rows=Path, out=Path)
    corpus = params.section("corpora", arguments.corpus)
    all_training_rows, all_test_rows = (
        read_table(arguments.raw, corpus["splits"][split], **corpus["columns"], labels=corpus["labels"])
        for split in ("train", "test")
    )
    names = sorted(path.stem for path in arguments.rows.glob("*.parquet"))
    description = {
        "files": {"train": len(all_training_rows), "test": len(all_test_rows)},
        "splits": {
            name: describe_split(read_split(arguments.rows, name), corpus["labels"], corpus["tokenizer"])
            for name in names
        },
        "vocabulary": describe_vocabulary(all_training_rows["text"], corpus["tokenizer"]),
    }
    files.write_json(arguments.out, description)


if __name__ == "__main__":
    command.run(main)
