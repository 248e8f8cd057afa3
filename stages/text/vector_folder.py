"""A folder of ids with a vector for each word of their vocabulary, on which a model may start."""

import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save

from stages.common.files import new_folder
from stages.training.inputs import read_input, write_input

NAME = "vectors.safetensors"


def write_vector_folder(out: Path, ids: Path, vectors: np.ndarray) -> None:
    """Write all that the folder `ids` holds, and `vectors`, (V, E) float32, whose E input.json says.

    Raises:
        InputError: another process is writing it.
    """
    with new_folder(out) as folder:
        for source in ids.iterdir():
            shutil.copyfile(source, folder / source.name)
        described = read_input(ids)
        write_input(
            folder,
            kind=described["kind"],
            files_to_keep=described["files"],
            arguments=described["arguments"] | {"embedding_size": vectors.shape[1]},
            **{name: described[name] for name in ("tokenizer", "kept") if name in described},
        )
        (folder / NAME).write_bytes(save({"vectors": vectors}))


def read_word_vectors(folder: Path) -> np.ndarray:
    """The vectors of such a folder, (V, E) float32."""
    return load((folder / NAME).read_bytes())["vectors"]
