"""Identities: what the notebooks derive or count on paper (K3.0, N2, N3, N4.4), in numbers."""

from pathlib import Path

import numpy as np

from stages.common import command, files
from stages.studies.derivations import alternating_sum, attention_by_means, cross_entropy_is_likelihood, parameters


def main() -> None:
    arguments = command.arguments(__doc__, out=Path)
    rng = np.random.default_rng(1)
    found = {"K3.0": cross_entropy_is_likelihood(rng), "N2": alternating_sum(rng), "N3": attention_by_means(rng)}
    files.write_json(arguments.out, found | {"N4.4": parameters()})


if __name__ == "__main__":
    command.run(main)
