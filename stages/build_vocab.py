"""Vocabulary: the training split's words, most frequent first, and every text as word ids."""

import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stages.common import command, files, params
from stages.common.command import InputError
from stages.text.truncation import shorten
from stages.text.vocabulary import SPECIAL_TOKENS, build_vocabulary, how_to_cut, word_ids, write_vocabulary
from stages.training.inputs import UNKNOWN, write_input

ROWS = 10_000  # in memory at a time
MOST = 0.5  # of valid's words: if more are unknown, the tokenizer does not fit the corpus


def count_words(path: Path) -> Counter:
    counts = Counter()
    for rows in pq.ParquetFile(path).iter_batches(ROWS, columns=["words"]):
        values, numbers = rows["words"].flatten().value_counts().flatten()
        counts.update(dict(zip(values.to_pylist(), numbers.to_pylist(), strict=True)))
    return counts


def write_ids(words: Path, vocabulary: list[str], out: Path, kept: dict | None = None) -> float:
    """Write a split with its words replaced by their ids; `kept` says how long texts are shortened.

    Returns the share of its words that are unknown.
    """
    number, unknown = 0, 0
    schema = pa.schema({"id": pa.string(), "label": pa.int64(), "tokens": pa.list_(pa.int32())})
    with pq.ParquetWriter(out, schema) as writer:
        for rows in pq.ParquetFile(words).iter_batches(ROWS):
            ids = word_ids(rows["words"], vocabulary)
            number += len(ids.flatten())
            unknown += int((ids.flatten().to_numpy() == UNKNOWN).sum())
            columns = [rows["id"], rows["label"], shorten(ids, **kept) if kept else ids]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
    return unknown / max(number, 1)


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, words=Path, out=Path)
    corpus = params.section("corpora", arguments.corpus)
    min_count, kept = corpus["min_count"], corpus["kept_words"]
    vocabulary = build_vocabulary(count_words(arguments.words / "train.parquet"), min_count)
    if len(vocabulary) == len(SPECIAL_TOKENS):
        raise InputError(
            f"corpora/{arguments.corpus}.yaml: min_count is {min_count}, "
            f"but no word of the training split occurs that often; lower it, or {how_to_cut(corpus['tokenizer'])}"
        )
    with files.new_folder(arguments.out) as folder:
        write_vocabulary(folder / "vocab.txt", vocabulary)
        for split in sorted(arguments.words.iterdir()):
            unknown = write_ids(split, vocabulary, folder / split.name, kept)
            if split.stem == "valid" and unknown > MOST:
                found = f"{unknown:.0%} of the words of valid are not in the vocabulary of train"
                advice = f"{how_to_cut(corpus['tokenizer'])}, or set min_count lower, or add rows"
                print(f"warning: corpora/{arguments.corpus}.yaml: {found}; {advice}", file=sys.stderr)
        write_input(
            folder,
            kind="words",
            files_to_keep=["vocab.txt"],
            arguments={"vocabulary_size": len(vocabulary)},
            tokenizer=corpus["tokenizer"],
            **({"kept": kept} if kept else {}),
        )
    print(f"{arguments.corpus}: {len(vocabulary):,} words")


if __name__ == "__main__":
    command.run(main)
