"""The linear baseline: weights as calculated by hand, probabilities as scikit-learn's; damaged models are refused."""

import json
import math
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load, save
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from stages import train_linear
from stages.common.command import InputError
from stages.models.layers.ngram_weights import idf, log_count_ratio
from stages.models.tfidf import Classifier, count, fit, weighted
from stages.serving.scorers import load_scorer
from stages.text.vocabulary import write_vocabulary
from stages.training.trained import write_trained
from tests.commands import run, run_here, stage_command
from tests.projects import Project

TEXTS = [["a", "good", "film"], ["good", "good", "good"], ["a", "bad", "film"], ["bad"]]
LABELS = np.array([1, 1, 0, 0])


def generated_texts(count: int) -> tuple[list[list[str]], np.ndarray]:
    """Texts of random words, of which the first decides the label."""
    generator = random.Random(2)
    labels = [row % 2 for row in range(count)]
    texts = [[f"{generator.choice('xy')}{label}", *generator.choices("abcdef", k=5)] for label in labels]
    return texts, np.array(labels)


@pytest.mark.parametrize(
    ("longest", "ngrams"),
    [
        (1, ["a", "bad", "film", "good"]),
        (2, ["a", "a bad", "a good", "bad", "bad film", "film", "good", "good film", "good good"]),
    ],
)
def test_ngrams_up_to_the_length_are_found(longest, ngrams):
    assert count(TEXTS, longest)[1].tolist() == ngrams


def test_the_longest_ngram_is_a_whole_text():
    assert "a good film" in count(TEXTS, 3)[1]
    assert len(count(TEXTS, 5)[1]) == len(count(TEXTS, 3)[1])


def test_an_ngram_counts_once_in_a_text_however_often_it_occurs():
    assert count(TEXTS, 1)[0].toarray().tolist() == [[1, 0, 1, 1], [0, 0, 0, 1], [1, 1, 1, 0], [0, 1, 0, 0]]


def test_words_are_counted_as_they_are():
    assert count([["A", "n't", ".", "a b"]], 1)[1].tolist() == [".", "A", "a b", "n't"]


def test_idf_is_as_calculated_by_hand():
    occurrences, ngrams = count([["a", "b"], ["a"], ["a", "c", "c"]], 1)
    expected = {"a": 1.0, "b": math.log(4 / 2) + 1, "c": math.log(4 / 2) + 1}
    assert dict(zip(ngrams, idf(occurrences, np.array([0, 1, 1])), strict=True)) == pytest.approx(expected)


def test_log_count_ratio_is_as_calculated_by_hand():
    """Counts plus one of a, bad, film and good: 2, 1, 2, 3 of 8 in class 1 and 2, 3, 2, 1 of 8 in class 0."""
    occurrences, ngrams = count(TEXTS, 1)
    expected = {"a": 0.0, "bad": math.log(3), "film": 0.0, "good": math.log(3)}
    assert dict(zip(ngrams, log_count_ratio(occurrences, LABELS), strict=True)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("longest", [1, 2])
def test_probabilities_are_scikit_learns(longest):
    texts, labels = generated_texts(60)
    model = fit(*count(texts[:40], longest), labels[:40], weighting="idf", inverse_regularization=3.0)
    vectorizer = TfidfVectorizer(analyzer="word", tokenizer=str.split, token_pattern=None, lowercase=False)
    vectorizer.set_params(binary=True, smooth_idf=True, ngram_range=(1, longest))
    theirs = LogisticRegression(C=3.0, tol=1e-6, max_iter=1000)
    theirs.fit(vectorizer.fit_transform([" ".join(text) for text in texts[:40]]), labels[:40])
    expected = theirs.predict_proba(vectorizer.transform([" ".join(text) for text in texts[40:]]))
    assert model.probabilities(texts[40:]) == pytest.approx(expected, abs=1e-4)
    assert np.ptp(expected[:, 1]) > 0.1


@pytest.mark.parametrize("weighting", ["idf", "log_count_ratio"])
def test_the_written_tensors_give_the_same_classifier_again(weighting):
    texts, labels = generated_texts(60)
    model = fit(*count(texts[:40], 2), labels[:40], weighting=weighting, inverse_regularization=1.0)
    again = Classifier(model.ngrams, **model.tensors())
    assert again.probabilities(texts).tolist() == model.probabilities(texts).tolist()


def test_a_classifier_of_three_classes_is_the_same_after_it_was_saved():
    model = fit(*count(TEXTS, 2), np.array([0, 1, 2, 2]), weighting="idf", inverse_regularization=1.0)
    again = Classifier(model.ngrams, **load(save(model.tensors())))
    expected = model.probabilities(TEXTS)
    assert again.probabilities(TEXTS) == pytest.approx(expected, abs=1e-6)
    assert np.ptp(expected, axis=0).min() > 0.1


@pytest.mark.parametrize("weighting", ["idf", "log_count_ratio"])
def test_a_text_of_unknown_ngrams_has_the_probability_of_the_intercept(weighting):
    model = fit(*count(TEXTS, 2), LABELS, weighting=weighting, inverse_regularization=1.0)
    intercept = model.tensors()["intercepts"][0]
    expected = 1 / (1 + math.exp(-intercept))
    assert model.probabilities([["unheard"], ["<unk>"]])[:, 1] == pytest.approx([expected, expected])


@pytest.fixture
def words(project: Project) -> Project:
    """The corpus `own`, split into words, and a small search."""
    texts, labels = generated_texts(60)
    rows = pd.DataFrame({"id": [f"own:{row}" for row in range(60)], "label": labels, "words": texts})
    (project.folder / "data/words").mkdir(parents=True)
    for split, part in (("train", rows[:40]), ("valid", rows[40:50]), ("test", rows[50:])):
        part.to_parquet(project.folder / f"data/words/{split}.parquet", index=False)
    project.set(
        "models.tfidf.search",
        {"longest_ngram": [1, 2], "weighting": ["idf", "log_count_ratio"], "inverse_regularization": [0.01, 10.0]},
    )
    return project


OPTIONS = {"corpus": "own", "model": "tfidf", "words": "data/words"}


def train(project: Project, out: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project.folder)
    assert run_here(train_linear, **OPTIONS, out=out) == ""
    return project.folder / out


def test_every_combination_is_tried_and_the_best_on_valid_kept(words, monkeypatch):
    folder = train(words, "runs/first", monkeypatch)
    history = pd.read_csv(folder / "history.csv")
    settings = ["longest_ngram", "weighting", "inverse_regularization"]
    assert len(history) == len(history[settings].drop_duplicates()) == 8
    assert history["valid_loss"].nunique() > 1
    run = json.loads((folder / "run.json").read_text())
    assert run["arguments"] == history.loc[history["valid_loss"].idxmin(), settings].to_dict()
    assert (run["input"]["kind"], run["seed"], run["labels"]) == ("text", None, ["negative", "positive"])
    predictions = pd.read_parquet(folder / "predictions.parquet")
    assert predictions["split"].tolist() == ["valid"] * 10 + ["test"] * 10
    assert predictions["id"].tolist() == [f"own:{row}" for row in range(40, 60)]


@pytest.mark.parametrize(("choose_by", "best"), [("loss", 0.1), ("accuracy", 1.0), ("macro_f1", 10.0)])
def test_the_setting_that_is_best_by_the_chosen_score_is_kept(words, monkeypatch, choose_by, best):
    tried = {
        "longest_ngram": [1, 1, 1, 1],
        "weighting": ["idf"] * 4,
        "inverse_regularization": [0.1, 0.3, 1.0, 10.0],
        "valid_loss": [0.2, 0.4, 0.3, 0.5],
        "valid_accuracy": [0.8, 0.9, 0.9, 0.7],  # of two that are equal, the one of lower loss
        "valid_macro_f1": [0.1, 0.1, 0.2, 0.3],
    }
    monkeypatch.setattr(train_linear, "search", lambda *_, **__: pd.DataFrame(tried))
    words.set("corpora.own.training.choose_by", choose_by)
    run = json.loads((train(words, "runs/first", monkeypatch) / "run.json").read_text())
    assert run["arguments"] == {"longest_ngram": 1, "weighting": "idf", "inverse_regularization": best}


def test_macro_f1_on_valid_is_in_the_history_where_it_chooses(words, monkeypatch):
    scores = ["valid_loss", "valid_accuracy"]
    assert list(pd.read_csv(train(words, "runs/first", monkeypatch) / "history.csv"))[3:] == scores
    words.set("corpora.own.training.choose_by", "macro_f1")
    assert list(pd.read_csv(train(words, "runs/other", monkeypatch) / "history.csv"))[3:] == [*scores, "valid_macro_f1"]


def test_a_row_of_weight_3_counts_as_three_rows():
    texts, labels = generated_texts(60)
    occurrences, ngrams = count(texts, 1)
    times = np.where(labels == 1, 3, 1)
    theirs = LogisticRegression(C=1.0, tol=1e-6, max_iter=1000)
    features = weighted(occurrences, idf(occurrences, labels))
    theirs.fit(features[np.repeat(np.arange(60), times)], np.repeat(labels, times))
    ours = fit(
        occurrences,
        ngrams,
        labels,
        weighting="idf",
        inverse_regularization=1.0,
        class_weights=np.array([1.0, 3.0]),
    )
    assert ours.probabilities(texts) == pytest.approx(theirs.predict_proba(features), abs=1e-3)
    plain = fit(occurrences, ngrams, labels, weighting="idf", inverse_regularization=1.0)
    assert (ours.probabilities(texts)[:, 1] > plain.probabilities(texts)[:, 1]).all()


def test_another_process_writes_the_same_bytes(words, monkeypatch):
    folder = train(words, "runs/first", monkeypatch)
    run(words.folder, *stage_command("train_linear", **OPTIONS, out="runs/again"))
    for path in folder.iterdir():
        assert path.read_bytes() == (words.folder / "runs/again" / path.name).read_bytes(), path.name


def test_the_final_fit_learns_from_valid_too(words, monkeypatch):
    first = pd.read_parquet(train(words, "runs/first", monkeypatch) / "predictions.parquet")
    words.set("corpora.own.training.final_fit", True)
    final = pd.read_parquet(train(words, "runs/final", monkeypatch) / "predictions.parquet")
    changed = first["probability_positive"] != final["probability_positive"]
    assert changed.tolist() == [False] * 10 + [True] * 10


def test_a_final_fit_is_refused_if_valid_has_the_test_rows(words, monkeypatch):
    words.set("corpora.own.training.final_fit", True)
    words.set("corpora.own.splits.valid", "test.tsv")
    monkeypatch.chdir(words.folder)
    said = run_here(train_linear, **OPTIONS, out="runs/first")
    assert said == "error: corpora/own.yaml: valid holds the test rows; set final_fit to false"
    assert not (words.folder / "runs").exists()


def change_run(**changes: object) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        run = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps(run | changes))

    return change


def change_bytes(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes()))


def fewer_weights(content: bytes) -> bytes:
    return save({name: tensor[..., :-1].copy() for name, tensor in load(content).items()})


# What happens to a trained model's folder, and what the message says.
DAMAGES = {
    "no folder": (shutil.rmtree, "holds no trained model"),
    "no run.json": (lambda folder: (folder / "run.json").unlink(), "holds no trained model"),
    "run.json cut": (change_bytes("run.json", lambda content: content[:60]), "is not JSON"),
    "run.json not in UTF-8": (change_bytes("run.json", lambda content: content + b"\xff"), "is not JSON"),
    "run.json is a list": (change_bytes("run.json", lambda content: b"[1]"), "has format None"),
    "another format": (change_run(format=1), "has format 1, expected 4"),
    "model out of the folder": (change_run(model="../evil"), "names '../evil'"),
    "model of another package": (change_run(model="os"), "names 'os'"),
    "model that is not a name": (change_run(model=["rnn"]), "names .* not a module of stages/models"),
    "module that is not a model": (change_run(model="cells"), "damaged"),
    "unknown kind": (change_run(input={"kind": "smells"}), "damaged"),
    "no tokenizer named": (change_run(input={"kind": "text"}), "damaged"),
    "weights cut": (change_bytes("model.safetensors", lambda content: content[:200]), "damaged"),
    "fewer weights": (change_bytes("model.safetensors", fewer_weights), "damaged"),
    "fewer n-grams": (change_bytes("ngrams.txt", lambda content: content[:20]), "damaged"),
    "no n-grams": (change_bytes("ngrams.txt", lambda content: b""), "damaged"),
    "an n-gram twice": (change_bytes("ngrams.txt", lambda content: content + content[:2]), "damaged"),
    "n-grams in no UTF-8": (change_bytes("ngrams.txt", lambda content: content + b"\xff\n"), "damaged"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_model_is_refused_before_a_text_is_read(tmp_path, damage, message):
    texts, labels = generated_texts(20)
    model = fit(*count(texts, 1), labels, weighting="idf", inverse_regularization=1.0)
    about = {"kind": "text", "tokenizer": "blanks", "files": ["ngrams.txt"]}
    run = {"model": "tfidf", "arguments": {}, "input": about, "corpus": "own", "labels": ["negative", "positive"]}
    write_vocabulary(tmp_path / "ngrams.txt", model.ngrams)
    (tmp_path / "model.safetensors").write_bytes(save(model.tensors()))
    run |= {"class_weights": "none", "seed": None, "best_epoch": None, "parameters": 1}
    write_trained(tmp_path, run, pd.DataFrame(), pd.DataFrame(), [])
    load_scorer(tmp_path, tmp_path, torch.device("cpu"))
    damage(tmp_path)
    with pytest.raises(InputError, match=message) as refused:
        load_scorer(tmp_path, tmp_path, torch.device("cpu"))
    assert str(tmp_path) in str(refused.value)
    assert "\n" not in str(refused.value)
