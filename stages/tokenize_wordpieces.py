"""Tokenize: every text as the encoder's wordpiece ids, [CLS] and [SEP] around them (the notebook's N4.0 and N4.1)."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stages.lib import command, files, params
from stages.lib.inputs import write_input
from stages.lib.wordpieces import encode, read_tokenizer

ROWS = 10_000  # in memory at a time


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, encoder=str, rows=Path, weights=Path, out=Path)
    precision = params.section("corpora", arguments.corpus)["precision"]
    max_length = params.section("encoders", arguments.encoder)["max_length"]
    tokenizer_file = arguments.weights / "tokenizer.json"
    tokenizer = read_tokenizer(tokenizer_file, max_length)
    config = json.loads((arguments.weights / "config.json").read_text(encoding="utf-8"))
    schema = pa.schema({"id": pa.string(), "label": pa.int64(), "tokens": pa.list_(pa.int32())})
    with files.new_folder(arguments.out) as folder:
        for split in sorted(arguments.rows.iterdir()):
            with pq.ParquetWriter(folder / split.name, schema) as writer:
                for rows in pq.ParquetFile(split).iter_batches(ROWS):
                    pieces = pa.array(encode(tokenizer, rows["text"].to_pylist()), schema.field("tokens").type)
                    columns = [rows["id"].cast(pa.string()), rows["label"], pieces]
                    writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
        shutil.copyfile(tokenizer_file, folder / tokenizer_file.name)
        write_input(
            folder,
            kind="wordpieces",
            files_to_keep=[tokenizer_file.name],
            arguments={"config": config, "precision": precision},
            max_length=max_length,
        )


if __name__ == "__main__":
    command.run(main)
