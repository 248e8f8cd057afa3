"""Gather: a corpus's training texts and, as sentences, those of other corpora, without labels, to learn words from."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stages.common import command, files, params
from stages.common.command import InputError
from stages.text.shared_texts import CutTexts, HeldOut
from stages.text.words import split_words

ROWS = 5_000  # in memory at a time
MOST = 0.01  # of valid's and test's texts that may be in another corpus too
OWN = pa.schema({"words": pa.list_(pa.string())})
OTHERS = pa.schema({"text": pa.string(), "words": pa.list_(pa.string()), "corpus": pa.string()})


def read_texts(path: Path) -> Iterator[pa.Array]:
    for rows in pq.ParquetFile(path).iter_batches(ROWS, columns=["text"]):
        yield rows["text"]


def write_own(train: Path, out: Path, tokenizer: str) -> None:
    with pq.ParquetWriter(out, OWN) as writer:
        for texts in read_texts(train):
            writer.write_batch(pa.RecordBatch.from_arrays([split_words(texts, tokenizer)], schema=OWN))


def write_others(writer: pq.ParquetWriter, name: str, train: Path, held_out: HeldOut, tokenizer: str) -> str:
    """Write the sentences of another corpus's training texts, but those held out here; returns how many there are."""
    written, left_out = 0, 0
    for texts in read_texts(train):
        cut = CutTexts(texts, tokenizer)
        is_held_out = pa.array(held_out.look_for(cut))
        # A model that reads them later has to find them in the form of its own corpus.
        sentences = cut.written if tokenizer == "treebank" else cut.sentences
        columns = [sentences.cast(pa.string()), cut.words, pa.array([name] * len(sentences), pa.string())]
        rows = pa.RecordBatch.from_arrays(columns, schema=OTHERS).filter(pc.invert(is_held_out))
        writer.write_batch(rows)
        written, left_out = written + len(rows), left_out + len(sentences) - len(rows)
    return f"{written:,} sentences of {name}, {left_out:,} left out that are in valid or test"


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, corpora=Path, out=Path)
    corpus = params.section("corpora", arguments.corpus)
    tokenizer, own = corpus["tokenizer"], arguments.corpora / arguments.corpus
    with files.new_folder(arguments.out) as folder, pq.ParquetWriter(folder / "others.parquet", OTHERS) as writer:
        write_own(own / "train.parquet", folder / "own.parquet", tokenizer)
        texts = [block for split in ("valid", "test") for block in read_texts(own / f"{split}.parquet")]
        for name in corpus["unlabelled_texts"]:
            held_out = HeldOut(pa.concat_arrays(texts), tokenizer)
            said = write_others(writer, name, arguments.corpora / name / "train.parquet", held_out, tokenizer)
            if held_out.shared() > MOST:
                raise InputError(
                    f"corpora/{arguments.corpus}.yaml: {held_out.shared():.0%} of the texts of valid and test are also "
                    f"in {name}: the corpora share their texts, and what is learned from {name} would be known in the "
                    f"test; take {name} out of unlabelled_texts"
                )
            print(f"{arguments.corpus}: {said}")


if __name__ == "__main__":
    command.run(main)
