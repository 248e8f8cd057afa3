"""Embed: GloVe's vectors of the vocabulary's words, together with the corpus's ids."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from safetensors.numpy import save

from stages.common import command, files
from stages.text.glove import read_vectors
from stages.text.vocabulary import SPECIAL_TOKENS, read_vocabulary
from stages.training.inputs import PADDING, UNKNOWN, read_input, write_input

SEED = 1  # for the vectors of words that GloVe lacks


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, dimension=int, ids=Path, glove=Path, out=Path)
    vocabulary = read_vocabulary(arguments.ids / "vocab.txt")
    positions, found = read_vectors(arguments.glove, vocabulary[len(SPECIAL_TOKENS) :], arguments.dimension)
    positions += len(SPECIAL_TOKENS)
    table = (
        np.random.default_rng(SEED).normal(0, found.std(), (len(vocabulary), arguments.dimension)).astype(np.float32)
    )
    table[positions] = found
    table[PADDING], table[UNKNOWN] = 0, found.mean(axis=0)

    tokens = pq.read_table(arguments.ids / "train.parquet", columns=["tokens"])["tokens"]
    covered = np.isin(pc.list_flatten(tokens).to_numpy(), positions)
    print(
        f"{arguments.corpus}: {len(positions):,} of {len(vocabulary) - len(SPECIAL_TOKENS):,} words "
        f"and {covered.mean():.2%} of train's tokens have a vector"
    )
    with files.new_folder(arguments.out) as folder:
        for source in arguments.ids.iterdir():
            shutil.copyfile(source, folder / source.name)
        described = read_input(arguments.ids)
        write_input(
            folder,
            kind=described["kind"],
            files_to_keep=described["files"],
            arguments=described["arguments"] | {"embedding_size": arguments.dimension},
            **{name: described[name] for name in ("tokenizer", "kept") if name in described},
        )
        (folder / "vectors.safetensors").write_bytes(save({"vectors": table}))


if __name__ == "__main__":
    command.run(main)
