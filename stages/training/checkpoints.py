"""A training's state after its last finished epoch, kept outside the outs until the training ends well."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from stages.common import files


def resume_key(data: Iterable[Path], *settings: object) -> str:
    """A digest of all that a training's bytes depend on: data, settings, torch, and the project's loaded modules."""
    modules = [module for name, module in sys.modules.items() if name == "__main__" or name.startswith("stages.")]
    code = [Path(module.__file__) for module in modules if module.__file__]
    return files.digest([*code, *data], *settings, torch.__version__)


def remove_checkpoints(folder: Path) -> None:
    """Remove all that was kept under a resume key, of earlier code, parameters or data too, half written or whole."""
    key = "[0-9a-f]" * 64
    for path in [*folder.glob(f"{key}-*"), *folder.glob(f".{key}-*")]:
        path.unlink()


class Checkpoint:
    """One file in `folder`, named by the key of code, parameters and data that it belongs to."""

    def __init__(self, folder: Path, key: str):
        self.path = folder / f"{key}.safetensors"

    def save(self, tensors: dict[str, torch.Tensor], progress: dict) -> None:
        """Replace the state by a newer one; a kill in between leaves the older."""
        with files.new_file(self.path) as temporary:
            temporary.write_bytes(save(tensors, metadata={"progress": json.dumps(progress)}))

    def load(self) -> tuple[dict[str, torch.Tensor], dict] | None:
        """The last saved tensors and progress; nothing if there is none or the file is broken."""
        try:
            with safe_open(self.path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, not a dict
                return tensors, json.loads(file.metadata()["progress"])
        except (FileNotFoundError, SafetensorError):
            return None
