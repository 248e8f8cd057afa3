"""A project of one small corpus in a folder of its own, beside the repository's parameters."""

from dataclasses import dataclass
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parent.parent
CORPUS = {
    "source": {"files": {"train.tsv": None, "valid.tsv": None, "test.tsv": None}},
    "format": {},
    "splits": {"train": "train.tsv", "valid": "valid.tsv", "test": "test.tsv", "repeated": "keep"},
    "columns": {"text": "text", "label": "label"},
    "labels": {"negative": "0", "positive": "1"},
    "tokenizer": "blanks",
    "min_count": 1,
}


def read_params(folder: Path) -> dict:
    """params.yaml, `run` of run.yaml and, under `corpora`, every file there, as they are."""
    files = [folder / "params.yaml", folder / "run.yaml", *sorted((folder / "corpora").glob("*.yaml"))]
    shared, run, *corpora = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in files)
    return shared | run | {"corpora": dict(zip((file.stem for file in files[2:]), corpora, strict=True))}


def write_params(folder: Path, everything: dict) -> None:
    """The files of which `read_params` makes such a mapping."""
    contents = {"params.yaml": {key: everything[key] for key in everything if key not in ("run", "corpora")}}
    contents |= {"run.yaml": {key: everything[key] for key in ("run",) if key in everything}}
    contents |= {f"corpora/{name}.yaml": corpus for name, corpus in everything["corpora"].items()}
    (folder / "corpora").mkdir(exist_ok=True)
    for name, content in contents.items():
        if "/" not in name.removeprefix("corpora/"):  # or it cannot be the name of a file
            (folder / name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def only(**models: list[str]) -> dict[str, list[str]]:
    """What `run.models` is where only these models are built, by their kinds."""
    kinds = read_params(REPOSITORY)["run"]["models"]
    return {kind: models.get(kind, []) for kind in kinds}


@dataclass(frozen=True)
class Project:
    """The corpus `own`, described in corpora/own.yaml beside the repository's parameters; trained on as `sample` is."""

    folder: Path

    def set(self, key: str, value: object) -> None:
        """Put a value into params.yaml, `run` of run.yaml or `corpora.<name>`, a file; `key` is dotted."""
        everything = read_params(self.folder)
        *parents, last = key.split(".")
        mapping = everything
        for parent in parents:
            mapping = mapping[parent]
        mapping[last] = value
        write_params(self.folder, everything)

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path


def new_project(folder: Path, corpus: dict) -> Project:
    """The repository's parameters in another folder, and the corpus `own` with some keys of its own."""
    everything = read_params(REPOSITORY)
    everything["corpora"] = {"own": everything["corpora"]["sample"] | CORPUS | corpus}
    everything["run"]["corpora"] = ["own"]
    write_params(folder, everything)
    return Project(folder)
