"""Tokenize: every text as a list of its words."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stages.common import command, files, params
from stages.text.words import split_words

ROWS = 10_000  # in memory at a time


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, rows=Path, out=Path)
    tokenizer = params.section("corpora", arguments.corpus)["tokenizer"]
    schema = pa.schema({"id": pa.string(), "label": pa.int64(), "words": pa.list_(pa.string())})
    with files.new_folder(arguments.out) as folder:
        for split in sorted(arguments.rows.iterdir()):
            with pq.ParquetWriter(folder / split.name, schema) as writer:
                for rows in pq.ParquetFile(split).iter_batches(ROWS):
                    columns = [rows["id"].cast(pa.string()), rows["label"], split_words(rows["text"], tokenizer)]
                    writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))


if __name__ == "__main__":
    command.run(main)
