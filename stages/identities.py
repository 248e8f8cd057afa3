"""Identities: what the notebooks derive or count on paper, checked in numbers."""

from pathlib import Path

import numpy as np

from stages.common import command, files
from stages.studies.derivations import alternating_sum, attention_by_means, cross_entropy_is_likelihood, parameters


def main() -> None:
    arguments = command.arguments(__doc__, out=Path)
    rng = np.random.default_rng(1)
    found = {
        "cross_entropy": cross_entropy_is_likelihood(rng),
        "alternating_sum": alternating_sum(rng),
        "attention_by_means": attention_by_means(rng),
        "parameters": parameters(),
    }
    files.write_json(arguments.out, found)


if __name__ == "__main__":
    command.run(main)
