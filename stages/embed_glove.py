"""Embed: GloVe's vectors of the vocabulary's words beside those learned from the corpus, together with its ids."""

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stages.common import command
from stages.text.glove import read_vectors
from stages.text.vector_folder import read_word_vectors, write_vector_folder
from stages.text.vocabulary import SPECIAL_TOKENS, read_vocabulary
from stages.training.inputs import PADDING, UNKNOWN

SEED = 1  # for the vectors of words that GloVe lacks


def glove_table(positions: np.ndarray, found: np.ndarray, words: int) -> np.ndarray:
    """GloVe's vectors at their positions, and at random those that it lacks, (words, dimension) float32."""
    table = np.random.default_rng(SEED).normal(0, found.std(), (words, found.shape[1])).astype(np.float32)
    table[positions] = found
    table[PADDING], table[UNKNOWN] = 0, found.mean(axis=0)
    return table


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, dimension=int, ids=Path, glove=Path, domain=Path, out=Path)
    vocabulary = read_vocabulary(arguments.ids / "vocab.txt")
    positions, found = read_vectors(arguments.glove, vocabulary[len(SPECIAL_TOKENS) :], arguments.dimension)
    positions += len(SPECIAL_TOKENS)
    domain = read_word_vectors(arguments.domain)
    # One dropout and one learning rate hold for both, so neither may drown the other: over all their words, the numbers
    # learned here get the standard deviation of GloVe's. Those of words in no context are all 0, and stay so.
    domain = domain * (found.std() / (domain[len(SPECIAL_TOKENS) :].std() or 1))

    tokens = pq.read_table(arguments.ids / "train.parquet", columns=["tokens"])["tokens"]
    covered = np.isin(pc.list_flatten(tokens).to_numpy(), positions)
    print(
        f"{arguments.corpus}: {len(positions):,} of {len(vocabulary) - len(SPECIAL_TOKENS):,} words "
        f"and {covered.mean():.2%} of train's tokens have a vector"
    )
    vectors = np.hstack([glove_table(positions, found, len(vocabulary)), domain])
    write_vector_folder(arguments.out, arguments.ids, vectors)


if __name__ == "__main__":
    command.run(main)
