"""How time and memory grow with the number of reviews, from a table to its rows scored by a trained model."""

import math
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks import data
from benchmarks.project_copies import run_measured, write_params
from benchmarks.synthetic import WORDS, write_lines, write_table
from benchmarks.timing import Row
from stages.common.command import InputError

SIZES = (10_000, 100_000, 1_000_000, 4_000_000)
HELD_OUT = 1_000  # rows of valid and of test
STAGES = ("prepare", "tokenize_text", "build_vocab", "predict")
AGAINST = "rows to the power of 1"
MEMORY = "the highest memory of these stages"
CORPUS = {"corpus": "synthetic"}
MODEL = {**CORPUS, "model": "average", "seed": 1}


def add_corpus(params: dict) -> None:
    """Add a corpus with the settings of the embedded one, trained for one epoch."""
    sample = params["corpora"]["sample"]
    params["corpora"]["synthetic"] = sample | {"training": sample["training"] | {"epochs": 1}}


def stages_of(project: Path, rows: int) -> dict[str, dict]:
    """Seconds and gigabytes of every stage on so many rows; the first call trains the model that predicts."""
    raw, trained = project / "raw", project / "data/trained/synthetic/average/1"
    raw.mkdir()
    for seed, (split, size) in enumerate({"train": rows, "valid": HELD_OUT, "test": HELD_OUT}.items()):
        write_table(raw / f"{split}.tsv", size, seed)
    write_lines(project / "reviews.txt", rows, seed=3)
    found = {
        "prepare": run_measured(project, "prepare", **CORPUS, raw="raw", out="rows/synthetic"),
        "tokenize_text": run_measured(project, "tokenize_text", **CORPUS, rows="rows/synthetic", out="words"),
        "build_vocab": run_measured(project, "build_vocab", **CORPUS, words="words", out="ids"),
    }
    if not trained.is_dir():
        run_measured(project, "gather_texts", **CORPUS, corpora="rows", out="texts")
        run_measured(project, "learn_vectors", **CORPUS, ids="ids", gathered="texts", out="vectors")
        run_measured(project, "train", **MODEL, settings="training", input="vectors", checkpoints="kept", out=trained)
    for made in ("raw", "rows", "words", "ids"):
        shutil.rmtree(project / made)
    return found | {"predict": run_measured(project, "predict", "scored.jsonl", **MODEL, file="reviews.txt")}


def exponent(seconds: list[float]) -> float:
    """The power of the number of rows with which time grows between the two largest sizes.

    The smallest size's time is taken off first: most of it is the start of the process, which would hide growth.
    """
    less, most = (taken - seconds[0] for taken in seconds[-2:])
    fewer, more = (size - SIZES[0] for size in SIZES[-2:])
    return math.log(most / less) / math.log(more / fewer)


def rows() -> Iterator[Row]:
    names = [f"{stage}, {SIZES[0]:,} to {SIZES[-1]:,} reviews of {WORDS} words" for stage in STAGES]
    project = data.FOLDER / "growth"
    project.mkdir()
    write_params(project, add_corpus)
    try:
        found = [stages_of(project, size) for size in SIZES]
    except InputError as error:
        yield from (Row(name, AGAINST, None, 1.05, str(error)) for name in names)
        yield Row(MEMORY, "1 GB", None, 1.5, str(error))
        return
    for stage, name in zip(STAGES, names, strict=True):
        seconds, gigabytes = ([measured[stage][unit] for measured in found] for unit in ("seconds", "gigabytes"))
        taken = ", ".join(f"{value:.1f}" for value in seconds)
        yield Row(name, AGAINST, exponent(seconds), 1.05, f"{taken} s; at most {max(gigabytes):.2f} GB")
    peaks = {stage: max(measured[stage]["gigabytes"] for measured in found) for stage in STAGES}
    highest = max(peaks, key=peaks.get)
    yield Row(MEMORY, "1 GB", peaks[highest], 1.5, highest)
