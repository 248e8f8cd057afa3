"""Vocabulary: the training split's words, most frequent first, and every text as their ids."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stages.lib import command, files, params
from stages.lib.command import InputError
from stages.lib.inputs import write_input
from stages.lib.vocabulary import SPECIAL_TOKENS, UNKNOWN, build_vocabulary, write_vocabulary

ROWS = 10_000  # in memory at a time


def count_words(path: Path) -> Counter:
    counts = Counter()
    for rows in pq.ParquetFile(path).iter_batches(ROWS, columns=["words"]):
        for pair in rows["words"].flatten().value_counts():
            counts[pair["values"].as_py()] += pair["counts"].as_py()
    return counts


def write_ids(words: Path, vocabulary: list[str], out: Path) -> None:
    """Copy a split with its words replaced by their lines in the vocabulary."""
    known = pa.array(vocabulary[len(SPECIAL_TOKENS) :])  # a text's own "<pad>" becomes an unknown word
    schema = pa.schema({"id": pa.string(), "label": pa.int64(), "tokens": pa.list_(pa.int32())})
    with pq.ParquetWriter(out, schema) as writer:
        for rows in pq.ParquetFile(words).iter_batches(ROWS):
            lists = rows["words"]
            ids = pc.add(pc.index_in(lists.flatten(), known), pa.scalar(len(SPECIAL_TOKENS), pa.int32()))
            ids = pc.fill_null(ids, pa.scalar(UNKNOWN, pa.int32()))
            tokens = pa.ListArray.from_arrays(pc.subtract(lists.offsets, lists.offsets[0]), ids)
            writer.write_batch(pa.RecordBatch.from_arrays([rows["id"], rows["label"], tokens], schema=schema))


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, words=Path, out=Path)
    corpus = params.section("corpora", arguments.corpus)
    min_count = corpus["min_count"]
    vocabulary = build_vocabulary(count_words(arguments.words / "train.parquet"), min_count)
    if len(vocabulary) == len(SPECIAL_TOKENS):
        raise InputError(
            f"params.yaml: corpora.{arguments.corpus}.min_count is {min_count}, "
            "and no training word is seen that often; lower it"
        )
    with files.new_folder(arguments.out) as folder:
        write_vocabulary(folder / "vocab.txt", vocabulary)
        for split in sorted(arguments.words.iterdir()):
            write_ids(split, vocabulary, folder / split.name)
        write_input(
            folder,
            kind="words",
            files_to_keep=["vocab.txt"],
            arguments={"vocabulary_size": len(vocabulary)},
            tokenizer=corpus["tokenizer"],
        )
    print(f"{arguments.corpus}: {len(vocabulary):,} words")


if __name__ == "__main__":
    command.run(main)
