"""Tokenize: every text as the encoder's wordpiece ids, between [CLS] and [SEP]."""

import json
import shutil
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tokenizers import Tokenizer

from stages.common import command, files, params
from stages.common.command import InputError
from stages.text.truncation import shorten
from stages.text.wordpieces import encode, read_tokenizer, unknown_pieces
from stages.training.inputs import write_input

ROWS = 10_000  # in memory at a time
MOST = 0.5  # of valid's pieces: if more are unknown, the encoder does not know the corpus's language
SCHEMA = pa.schema({"id": pa.string(), "label": pa.int64(), "tokens": pa.list_(pa.int32())})


def write_pieces(split: Path, tokenizer: Tokenizer, out: Path, kept: dict) -> float:
    """Write a split's texts as ids, shortened as `kept` says; the share of the pieces that the tokenizer lacks."""
    number, unknown = 0, 0
    with pq.ParquetWriter(out, SCHEMA) as writer:
        for rows in pq.ParquetFile(split).iter_batches(ROWS):
            ids = encode(tokenizer, rows["text"].to_pylist())
            number += sum(map(len, ids)) - 2 * len(ids)
            unknown += unknown_pieces(tokenizer, ids)
            pieces = pa.array(ids, SCHEMA.field("tokens").type)
            columns = [rows["id"].cast(pa.string()), rows["label"], shorten(pieces, **kept, keep_ends=True)]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=SCHEMA))
    return unknown / max(number, 1)


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, encoder=str, rows=Path, weights=Path, out=Path)
    corpus = params.section("corpora", arguments.corpus)
    readable = params.section("encoders", arguments.encoder)["max_length"]
    kept = corpus["kept_wordpieces"] or {"longest": readable, "part": "head"}
    if kept["longest"] > readable:
        raise InputError(
            f"corpora/{arguments.corpus}.yaml: kept_wordpieces.longest is {kept['longest']}; "
            f"encoders.{arguments.encoder}.max_length is {readable}"
        )
    tokenizer_file = arguments.weights / "tokenizer.json"
    tokenizer = read_tokenizer(tokenizer_file)
    config = json.loads((arguments.weights / "config.json").read_text(encoding="utf-8"))
    with files.new_folder(arguments.out) as folder:
        for split in sorted(arguments.rows.iterdir()):
            unknown = write_pieces(split, tokenizer, folder / split.name, kept)
            if split.stem == "valid" and unknown > MOST:
                print(
                    f"warning: {unknown:.0%} of the pieces of valid are unknown to the encoder {arguments.encoder}; "
                    "take one that was pretrained on this language (run.encoders)",
                    file=sys.stderr,
                )
        shutil.copyfile(tokenizer_file, folder / tokenizer_file.name)
        write_input(
            folder,
            kind="wordpieces",
            files_to_keep=[tokenizer_file.name],
            arguments={"config": config, "precision": corpus["precision"]},
            max_length=kept["longest"],
            **({"kept": kept} if corpus["kept_wordpieces"] else {}),
        )


if __name__ == "__main__":
    command.run(main)
