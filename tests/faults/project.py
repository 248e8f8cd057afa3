"""A copy of the project with one generated corpus, and the steps that are killed in it."""

import random
import shlex
import shutil
import sys
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import yaml

from tests.encoders import BERT, SPECIAL_PIECES, checksums
from tests.projects import CORPUS, REPOSITORY, only, read_params, write_params

WORDS = [f"word{number}" for number in range(200)]
# With few rows to train on and many to embed and score, every stage works for some seconds, in several pieces.
ROWS = {"train": 0.08, "valid": 0.02, "test": 0.9}
PIECES = [*SPECIAL_PIECES, *WORDS]
ENCODER = BERT | {"vocab_size": len(PIECES), "hidden_size": 32, "num_hidden_layers": 4}


@dataclass(frozen=True)
class Step:
    """A command of the pipeline, its outs, and its share of all kills."""

    name: str
    command: list[str]
    outs: list[str]
    share: int = 0
    runs_dvc: bool = False


def stage(name: str, model: str = "", share: int = 0) -> Step:
    """A stage of dvc.yaml as DVC would run it."""
    described = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))["stages"][name]
    chosen = {"item.corpus": "own", "item.model": model, "item.seed": "1", "item.encoder": "own"}

    def filled(text: str) -> str:
        for key, value in chosen.items():
            text = text.replace(f"${{{key}}}", value)
        return text

    listed = [out for kind in ("outs", "metrics", "plots") for out in described.get(kind, [])]
    outs = [filled(out if isinstance(out, str) else next(iter(out))) for out in listed]
    command = [sys.executable, *shlex.split(filled(described["cmd"]))[1:]]
    return Step(f"{name}-{model}" if model else name, command, outs, share)


STEPS = [
    stage("download", share=8),
    stage("prepare"),
    stage("tokenize_text"),
    stage("train_ngrams", "tfidf", share=3),
    stage("build_vocab"),
    stage("gather_texts"),
    stage("learn_vectors"),
    stage("train_rnn", "rnn", share=7),
    stage("evaluate_rnn", "rnn", share=4),
    stage("download_encoder"),
    stage("tokenize_wordpieces"),
    stage("embed_bert", share=6),
    stage("train_finetuning", "finetuned", share=6),
]
REPRO = Step("dvc-repro", ["make", "repro"], [], share=6, runs_dvc=True)


def archive(rows: int) -> bytes:
    """A zip of three tables of words drawn at random."""
    generator = random.Random(1)
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for split, share in ROWS.items():
            texts = (" ".join(generator.choices(WORDS, k=20)) for _ in range(int(rows * share)))
            lines = [f"{text}\t{number % 2}\n" for number, text in enumerate(texts)]
            file.writestr(f"{split}.tsv", "".join(["text\tlabel\n", *lines]))
    return content.getvalue()


def write_project(folder: Path, address: str) -> None:
    """What a person has before the first `make repro`, without git and any results."""
    for name in ("maintenance", "stages"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "requirements.txt", "dvc.yaml", ".dvcignore", "benchmarks/attention.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(REPOSITORY / name, folder / name)
    (folder / ".venv").mkdir()
    (folder / ".venv/installed").touch()  # make finds the set-up done and uses this interpreter
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n", encoding="utf-8")
    (folder / "data/own").mkdir(parents=True)
    (folder / "data/own/README.md").write_text("Words drawn at random.\n", encoding="utf-8")

    params = read_params(REPOSITORY)
    training = {"batch_size": 32, "epochs": 6, "patience": 6, "final_fit": True}
    own = params["corpora"]["sample"] | CORPUS | {"training": training, "finetuning": training | {"epochs": 4}}
    own["source"] = CORPUS["source"] | {"address": f"{address}/own.zip"}
    encoder = {"source": {"folder": "encoder"}, "checksums": checksums(folder / "encoder"), "max_length": 64}
    params["corpora"] = {"own": own}
    params["encoders"]["own"] = encoder | {"layers": [0, 4], "mix": "mean", "optimization": {}}
    params["run"] |= {"corpora": ["own"], "described_by": "own", "seeds": [1]}
    params["run"] |= {key: [] for key in ("encoders", "frozen_encoders", "finetuned_encoders", "teachers")}
    params["run"]["models"] = only(ngrams=["tfidf"], rnn=["rnn"])
    params["study"]["gates"] |= {"hidden_size": 4, "lengths": [10], "sequences": 4, "steps": 3}
    params["domain_vectors"]["size"] = params["models"]["rnn"]["architecture"]["hidden_size"] = 64
    write_params(folder, params)
