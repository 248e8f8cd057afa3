"""Copies of the whole project, small enough that its pipeline runs in a test."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands import ended
from tests.projects import REPOSITORY, only, read_params, write_params


def copy_project(folder: Path) -> None:
    """The project's files, which git knows, where make finds the set-up done and uses this interpreter.

    It has no dvc.lock, as DVC writes all of it after every stage, which takes seconds; its studies are short ones.
    """
    listed = ended(REPOSITORY, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed.returncode:
        pytest.skip(f"git does not know what is the project's: {listed.stderr.splitlines()[0]}")
    for file in listed.stdout.split("\0")[:-1]:
        if (REPOSITORY / file).is_file() and file != "dvc.lock":
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / file, folder / file)
    change_params(folder, shorten_studies)
    (folder / ".venv").mkdir()
    (folder / ".venv/installed").touch()


def change_params(folder: Path, change: Callable[[dict], object]) -> None:
    params = read_params(folder)
    change(params)
    write_params(folder, params)


def shorten_studies(params: dict) -> None:
    params["compare"]["resamples"] = 100
    params["study"]["gates"] |= {"steps": 1, "lengths": [3], "forget_biases": [0], "hidden_size": 2}


def make_small(folder: Path) -> None:
    """Few rows and models of the embedded corpus, and of the others no results, which take the report seconds."""
    change_params(folder, choose_small)
    for name in read_params(folder)["corpora"]["sample"]["source"]["files"]:
        path = folder / "data/sample" / name
        path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:200]), encoding="utf-8")
    for results in [path for path in (folder / "results").iterdir() if path.is_dir()]:
        shutil.rmtree(results)
        results.mkdir()


def choose_small(params: dict) -> None:
    params["run"] |= {"corpora": ["sample"], "glove_dimensions": [], "seeds": [1]}
    trained = {"ngrams": ["tfidf"], "pooled": ["average"], "lstm": ["lstm"], "features": ["bigru"]}
    params["run"] |= {"finetuned_encoders": [], "teachers": []}
    params["run"]["models"] = only(**trained, glove=["glove_lstm"])
    params["corpora"]["sample"]["training"] |= {"epochs": 1}
    params["corpora"]["sample"]["source"]["files"] = dict.fromkeys(params["corpora"]["sample"]["source"]["files"])
    params["models"]["tfidf"]["search"] |= {"longest_ngram": [1], "inverse_regularization": [1.0]}
    params["models"]["bigru"]["architecture"] |= {"hidden_size": 16}
