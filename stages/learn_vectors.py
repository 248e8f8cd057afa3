"""Learn: vectors of the vocabulary's words from a corpus's gathered texts, without any label."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from stages.common import command, params
from stages.text.vector_folder import write_vector_folder
from stages.text.vocabulary import read_vocabulary
from stages.text.word_vectors import learn


def read_words(gathered: Path) -> pa.ListArray:
    """The words of every text: the corpus's own, then those of others."""
    tables = [pq.read_table(gathered / f"{name}.parquet", columns=["words"]) for name in ("own", "others")]
    return pa.concat_tables(tables)["words"].combine_chunks()


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, ids=Path, gathered=Path, out=Path)
    texts, vocabulary = read_words(arguments.gathered), read_vocabulary(arguments.ids / "vocab.txt")
    with threadpool_limits(1):  # sums in another order are other numbers
        vectors = learn(texts, vocabulary, **params.load()["domain_vectors"])
    write_vector_folder(arguments.out, arguments.ids, vectors)
    print(f"{arguments.corpus}: vectors of {len(vocabulary):,} words, learned from {len(texts):,} texts")


if __name__ == "__main__":
    command.run(main)
