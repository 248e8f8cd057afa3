"""A training killed by the system ends in the same bytes when it is run again; two runs at once do not mix."""

import errno
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stages import build_vocab, download, embed_bert, gather_texts, learn_vectors, prepare, tokenize_text, train
from stages.common import files
from stages.common.command import InputError
from stages.common.locks import alone
from tests.commands import stage_command, start

WORDS = [f"word{number}" for number in range(200)]


@pytest.fixture
def start_training(project, run_here, monkeypatch) -> Callable[[str], subprocess.Popen[str]]:
    generator = random.Random(1)
    for split, rows in (("train", 700), ("valid", 100), ("test", 100)):
        lines = [f"{' '.join(generator.choices(WORDS, k=12))}\t{row % 2}\n" for row in range(rows)]
        project.write(f"data/own/{split}.tsv", "".join(["text\tlabel\n", *lines]).encode())
    project.set("corpora.own.training", {"batch_size": 8, "epochs": 5, "patience": 5, "final_fit": True})
    monkeypatch.chdir(project.folder)
    for stage, options in (
        (download, {"local": "data/own", "downloads": "data/downloads", "out": "data/raw/own"}),
        (prepare, {"raw": "data/raw/own", "out": "data/corpora/own"}),
        (tokenize_text, {"rows": "data/corpora/own", "out": "data/words/own"}),
        (build_vocab, {"words": "data/words/own", "out": "data/ids/own"}),
        (gather_texts, {"corpora": "data/corpora", "out": "data/texts/own"}),
        (learn_vectors, {"ids": "data/ids/own", "gathered": "data/texts/own", "out": "data/vectors/own"}),
    ):
        assert run_here(stage, corpus="own", **options) == ""

    def start_training(name: str) -> subprocess.Popen[str]:
        options = {"corpus": "own", "model": "rnn", "seed": 1, "settings": "training", "input": "data/vectors/own"}
        options |= {"pretrained": "data/vectors/own/vectors.safetensors"}
        options |= {"checkpoints": f"data/checkpoints-{name}", "out": f"data/trained/{name}"}
        return start(project.folder, *stage_command("train", **options), variables={"OMP_NUM_THREADS": "1"})

    return start_training


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_killed_training_ends_in_the_bytes_of_a_clean_one(start_training, project):
    clean = start_training("clean")
    assert "final fit" in clean.communicate()[0]

    for last_line in ("epoch 2", "epoch 4", "final fit"):
        killed = start_training("killed")
        for line in killed.stdout:
            if line.startswith(last_line):
                break
        time.sleep(0.1)  # into the next epoch
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert not (project.folder / "data/trained/killed").exists()

    resumed = start_training("killed")
    assert "resumed after epoch" in resumed.communicate()[0]
    assert bytes_of(project.folder / "data/trained/killed") == bytes_of(project.folder / "data/trained/clean")
    assert list((project.folder / "data/checkpoints-killed").iterdir()) == []


def test_what_another_training_still_writes_is_left_alone(project, run_here, check, monkeypatch):
    monkeypatch.chdir(project.folder)
    checkpoints = Path("data/checkpoints/own/rnn/1")
    options = {"settings": "training", "input": "data/ids/own", "out": "data/trained/own/rnn/1"}
    with alone(checkpoints):
        said = run_here(train, corpus="own", model="rnn", seed=1, checkpoints=checkpoints, **options)
    check(said, project.folder / "data/trained", "another run", "rnn/1")


def test_what_another_run_still_writes_is_left_alone(project, run_here, check, monkeypatch):
    monkeypatch.chdir(project.folder)
    checkpoints = Path("data/checkpoints/own/embed_bert")
    options = {"wordpieces": "data/wordpieces/own", "weights": "data/encoders/own", "out": "data/features/own"}
    with alone(checkpoints):
        said = run_here(embed_bert, corpus="own", encoder="own", checkpoints=checkpoints, **options)
    check(said, project.folder / "data/features", "another run", "own/embed_bert")


def test_two_do_not_write_one_out(tmp_path):
    for new, name in ((files.new_folder, "folder"), (files.new_file, "file")):
        with new(tmp_path / name) as temporary:
            with pytest.raises(InputError, match="another run of this stage writes"), new(tmp_path / name):
                pass
            temporary.touch()
        assert (tmp_path / name).exists()


@pytest.mark.parametrize(("named", "said"), [(None, "checkpoints"), ("other.npy", "other.npy")])
def test_a_full_disk_is_said_of_what_was_written(tmp_path, monkeypatch, named, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError) as caught, alone(Path("checkpoints")):
        raise OSError(errno.ENOSPC, "No space left on device", named)
    assert caught.value.filename == said
