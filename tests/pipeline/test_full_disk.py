"""A stage on a disk without room ends in a sentence and leaves no out."""

import random
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import stages.build_vocab
import stages.download
import stages.gather_texts
import stages.learn_vectors
import stages.prepare
import stages.tokenize_text
import stages.train
from tests.bad_input import refused

SPLITS = ("train", "valid", "test")


@contextmanager
def small_disk() -> Iterator[None]:
    """No file can be longer than 20,000 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_disk_without_room_is_reported_and_leaves_no_out(project, run_here, monkeypatch):
    """Each stage but evaluate fails on a limit to the size of files, and succeeds without it to feed the next."""
    monkeypatch.chdir(project.folder)
    project.set("corpora.own.training.epochs", 1)
    generator = random.Random(1)
    words = "".join(
        f"{' '.join(f'{generator.getrandbits(32):08x}' for _ in range(20))}\t{row % 2}\n" for row in range(500)
    )
    for split in SPLITS:
        project.write(f"data/own/{split}.tsv", b"text\tlabel\n" + words.encode())
    chain = {
        stages.download: {"local": "data/own", "downloads": "data/downloads", "out": "data/raw/own"},
        stages.prepare: {"raw": "data/raw/own", "out": "data/corpora/own"},
        stages.tokenize_text: {"rows": "data/corpora/own", "out": "data/words/own"},
        stages.build_vocab: {"words": "data/words/own", "out": "data/ids/own"},
        stages.gather_texts: {"corpora": "data/corpora", "out": "data/texts/own"},
        stages.learn_vectors: {"ids": "data/ids/own", "gathered": "data/texts/own", "out": "data/vectors/own"},
        stages.train: {
            "model": "average",
            "seed": "1",
            "settings": "training",
            "input": "data/vectors/own",
            "pretrained": "data/vectors/own/vectors.safetensors",
            "checkpoints": "data/checkpoints",
            "out": "data/trained/own/average/1",
        },
    }
    for stage, options in chain.items():
        folder = str(Path(options["out"]).parent)
        with small_disk():
            said = run_here(stage, corpus="own", **options)
        where = "data/checkpoints" if stage is stages.train else folder  # a training's first file is its checkpoint
        refused(said, project.folder / folder, where, "File too large")
        assert run_here(stage, corpus="own", **options) == ""
