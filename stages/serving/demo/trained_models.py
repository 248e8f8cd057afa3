"""The trained models of every corpus, loaded when they are first asked and kept."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from stages.common.command import InputError
from stages.common.suggestions import suggestion
from stages.serving.console import checked
from stages.serving.default_model import seeds
from stages.serving.demo.marks import effects_of, parts_of
from stages.serving.scorers import NEEDED, Scorer, load_scorer
from stages.training.trained import trained_folders

LONGEST = 20_000  # characters of a text: more than IMDB's longest review has
DIGITS = 5
TOGETHER = 8  # texts that are scored before another request has its turn


class UnusableModelError(InputError):
    """A trained model is damaged, of an earlier version, or lacks its encoder; the message says so."""


class TrainedModels:
    """Answers about texts, to several threads by turns: models work one at a time, a few texts at a time."""

    def __init__(self, trained: Path, encoders: Path):
        self.trained, self.encoders = trained, encoders
        self.loaded: dict[Path, tuple[int, dict, Scorer]] = {}
        self.worker = ThreadPoolExecutor(max_workers=1)

    def corpora(self) -> dict[str, dict[str, Path]]:
        """For each corpus with trained models, their folders by name: models of words first, since they are fast.

        Raises:
            InputError: there are none.
        """
        found = {}
        for corpus in sorted(path for path in self.trained.glob("*") if path.is_dir()):
            models = {path.name: first_training(path) for path in sorted(corpus.glob("*")) if path.is_dir()}
            models = {name: folder for name, folder in models.items() if (folder / "run.json").is_file()}
            if models:
                found[corpus.name] = dict(sorted(models.items(), key=lambda item: reading_order(item[1])))
        if not found:
            raise InputError(f"{self.trained} holds no trained model; `make repro` trains some")
        return found

    def answer(self, corpus: str, model: str, text: str) -> dict:
        """The names of the classes and the probability of each."""
        text = readable(text)
        labels, scorer = self.worker.submit(self.load, corpus, model).result()
        probabilities = self.worker.submit(scorer, [text]).result()[0]  # (C,)
        return {"labels": labels, "probabilities": rounded(probabilities)}

    def marks(self, corpus: str, model: str, text: str, go_on: Callable[[], None]) -> dict:
        """The parts of a text, and for each part how much it raises each class's probability.

        go_on: called every few texts; what it raises ends the work.
        """
        parts = parts_of(readable(text))
        _, scorer = self.worker.submit(self.load, corpus, model).result()
        return {"parts": parts, "effects": rounded(effects_of(parts, partial(self.by_turns, scorer, go_on)))}

    def by_turns(self, scorer: Scorer, go_on: Callable[[], None], texts: Sequence[str]) -> np.ndarray:
        scored = []
        for at in range(0, len(texts), TOGETHER):
            go_on()
            scored.append(self.worker.submit(scorer, texts[at : at + TOGETHER]).result())  # (TOGETHER, C)
        return np.concatenate(scored)  # (N, C)

    def close(self) -> None:
        self.worker.shutdown(wait=False, cancel_futures=True)

    def load(self, corpus: str, model: str) -> tuple[list[str], Scorer]:
        """A model's classes and what scores texts.

        Raises:
            InputError: there is no such corpus or model.
            UnusableModelError: there is, but it cannot be loaded.
        """
        corpora = self.corpora()
        if corpus not in corpora:
            raise InputError(f"{self.trained} has no {corpus!r}{suggestion(corpus, list(corpora))}")
        if model not in corpora[corpus]:
            raise InputError(f"{self.trained / corpus} has no {model!r}{suggestion(model, list(corpora[corpus]))}")
        folder = corpora[corpus][model]
        try:
            changed = (folder / "model.safetensors").stat().st_mtime_ns  # it may be trained again meanwhile
            if self.loaded.get(folder, (None,))[0] != changed:
                self.loaded[folder] = (changed, *load_scorer(folder, self.encoders))
        except InputError as error:
            raise UnusableModelError(str(error)) from None
        except OSError as error:
            raise UnusableModelError(f"{error.filename}: {error.strerror}; train it again with `dvc repro`") from None
        _, trained, scorer = self.loaded[folder]
        return trained["labels"], scorer


def first_training(model: Path) -> Path:
    return next(iter(trained_folders(model, seeds(model)).values()))


def reading_order(folder: Path) -> int:
    """By what a model reads: words before an encoder's pieces; last, what loading will refuse."""
    try:
        return list(NEEDED).index(json.loads((folder / "run.json").read_text(encoding="utf-8"))["input"]["kind"])
    except (ValueError, LookupError, TypeError, RecursionError, OSError):
        return len(NEEDED)


def rounded(numbers: np.ndarray) -> list:
    return numbers.astype(float).round(DIGITS).tolist()


def readable(text: str) -> str:
    if len(text) > LONGEST:
        raise InputError(f"the text has {len(text):,} characters, and the demo reads at most {LONGEST:,}; shorten it")
    return checked(text, "the text")
