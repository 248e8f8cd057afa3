"""`make gpu` on the CPU, at a small size: every part runs to its end and its checks pass."""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.numpy import save_file

from benchmarks.gpu.__main__ import PARTS
from tests.commands import run
from tests.encoders import BERT
from tests.projects import REPOSITORY

VOCABULARY = 30
OPTIMIZATION = {"learning_rate": 0.001, "weight_decay": 0, "clip_norm": 1, "average_decay": 0.9, "label_smoothing": 0.1}
TRAINING = {"batch_size": 8, "epochs": 2, "patience": 2}
ARCHITECTURES = {
    "rnn": {"hidden_size": 5, "word_dropout": 0.1, "pooling": "max"},
    "lstm": {"hidden_size": 5, "word_dropout": 0.1, "pooling": "max"},
    "glove_lstm": {"freeze": False, "hidden_size": 5, "word_dropout": 0, "input_dropout": 0.1, "output_dropout": 0.1}
    | {"pooling": "max"},
    "minilm_bigru": {"hidden_size": 5, "dropout": 0.1, "pooling": "max"},
    "minilm_finetuned": {"dropout": 0.1},
}
INPUTS = {"glove_lstm": "vectors", "minilm_bigru": "wordpieces", "minilm_finetuned": "wordpieces"}


def write_rows(folder: Path, about: dict, kind: pa.DataType, tokens: int) -> None:
    generator = np.random.default_rng(1)
    folder.mkdir()
    for split, number in {"train": 40, "valid": 12, "test": 12}.items():
        rows = [generator.integers(5, tokens, generator.integers(3, 12)) for _ in range(number)]
        columns = {"id": [str(row) for row in range(number)], "label": [row % 2 for row in range(number)]}
        table = pa.table(columns | {"tokens": pa.array(rows, pa.list_(kind))})
        pq.write_table(table, folder / f"{split}.parquet")
    (folder / "input.json").write_text(json.dumps({"kind": "words", "files": [], "arguments": about}))


def settings() -> dict:
    models = {
        name: {
            "module": name.removeprefix("minilm_"),
            "input": INPUTS.get(name, "domain_vectors"),
            "embedded": name == "minilm_bigru",
            "architecture": architecture,
            "optimization": OPTIMIZATION | ({"warmup": 0.1} if name == "minilm_finetuned" else {}),
            "training": TRAINING | {"final_fit": name == "rnn"},
            "first_epoch": {"train_loss": 0.7, "valid_loss": 0.7, "valid_accuracy": 0.5},
            "accuracies": [0.4, 0.6],
        }
        for name, architecture in ARCHITECTURES.items()
    }
    notebook = {"architecture": {"hidden_size": 5, "dropout": 0.1}, "optimization": OPTIMIZATION, "training": TRAINING}
    encoder = {"layers": [0, 2], "mix": "mean"}
    return {"seed": 1, "models": models, "encoder": encoder, "precision": "fp32", "notebook_n": notebook}


@pytest.fixture(scope="module")
def inputs(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make gpu-inputs` packs, with random rows and an encoder of two narrow layers."""
    folder = tmp_path_factory.mktemp("gpu")
    for name in ("domain_vectors", "vectors"):
        write_rows(folder / name, {"vocabulary_size": VOCABULARY, "embedding_size": 6}, pa.int32(), VOCABULARY)
        vectors = np.random.default_rng(1).normal(0, 0.1, (VOCABULARY, 6)).astype(np.float32)
        save_file({"vectors": vectors}, folder / name / "vectors.safetensors")
    write_rows(folder / "wordpieces", {"config": BERT, "precision": "fp32"}, pa.int32(), BERT["vocab_size"])
    write_rows(folder / "imdb", {}, pa.uint16(), BERT["vocab_size"])
    (folder / "encoder").mkdir()
    (folder / "encoder/config.json").write_bytes((tiny / "config.json").read_bytes())
    content = (tiny / "model.safetensors").read_bytes()
    for number, half in enumerate((content[:1000], content[1000:]), start=1):
        (folder / f"encoder/model.safetensors.{number}").write_bytes(half)
    content = settings()
    content["notebook_n"]["shape"] = BERT
    (folder / "settings.json").write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="module")
def found(inputs: Path) -> dict:
    out = inputs / "gpu.json"
    command = [sys.executable, "-m", "benchmarks.gpu", "--inputs", str(inputs), "--out", str(out)]
    run(REPOSITORY, *command, DEVICE="cpu")
    return json.loads(out.read_text())


def test_every_part_runs_to_its_end(found):
    assert found["machine"]["torch"] == torch.__version__
    assert [row for part in PARTS for row in found[part] if row["value"] != row["value"]] == []  # NaN: it failed
    assert [part for part in PARTS if not found[part]] == ["recurrences"]  # there is no cuDNN


def test_every_check_that_a_cpu_passes_is_passed(found):
    assert [row["what"] for row in found["checks"] if row["reached"] is False] == []
    assert {row["what"] for row in found["checks"]} >= {
        "lstm: killed and resumed, the same bytes",
        "minilm_bigru: padding moves a logit by",
        "minilm_finetuned: the same bytes twice",
    }


def test_every_model_is_trained_whole(found):
    trained = {row["what"].split(":")[0] for row in found["ladder"] if row["what"].endswith("whole training")}
    assert trained == set(ARCHITECTURES)
