"""Three classes of 80, 15 and 5 % of the rows, from a table to the page, with and without weights of classes."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import stages.analyze
import stages.build_vocab
import stages.compare
import stages.evaluate
import stages.gather_texts
import stages.learn_vectors
import stages.prepare
import stages.report
import stages.tokenize_text
import stages.train
import stages.train_linear
from tests.commands import run_here
from tests.projects import REPOSITORY, Project, only

LABELS = {"usual": "0", "fewer": "1", "rare": "2"}
COUNTS = [640, 120, 40]
ROW = r'<th scope="row">(\w+)</th>(.+?)</tr>'  # of the page's table, which begins with a class
SEEDS = [1, 2, 3]
WEIGHTS = {"usual": 1, "fewer": 4, "rare": 12}


def table(seed: int) -> bytes:
    """Texts with two words that mostly, not always, tell their class; who guesses says the usual one."""
    generator = np.random.default_rng(seed)
    lines = ["text,label"]
    for row, label in enumerate(generator.permutation(np.repeat([0, 1, 2], COUNTS))):
        told = [label if generator.random() < 0.6 else generator.integers(3) for _ in range(2)]
        words = [f"tells{each}{generator.integers(5)}" for each in told] + [
            f"w{generator.integers(40)}" for _ in "abcd"
        ]
        lines.append(f"{' '.join(words)} {row},{label}")
    return "\n".join(lines).encode()


@pytest.fixture
def learned(project: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict]:
    """The metrics of a model trained on such a table, with every seed where it has any."""
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("DEVICE", "cpu")
    project.set("corpora.own.labels", LABELS)
    share = {"fraction": 0.2, "seed": 1}
    project.set("corpora.own.splits", {"train": "a.csv", "valid": share, "test": share, "repeated": "refuse"})
    run = {"corpora": ["own"], "described_by": "minilm", "glove_dimensions": [], "notebook": [], "seeds": SEEDS}
    run |= {"encoders": [], "frozen_encoders": [], "finetuned_encoders": [], "teachers": [], "unlabelled_corpora": []}
    project.set("run", run | {"models": only(ngrams=["tfidf"], pooled=["average"])})
    project.set("models.tfidf.search", {"longest_ngram": [1], "weighting": ["idf"], "inverse_regularization": [1.0]})
    project.set("models.average.optimization.learning_rate", 0.005)
    project.set("compare.resamples", 100)

    def learned(model: str, seed: int = 1, **training: object) -> dict:
        project.write("raw/a.csv", table(seed))
        settings = {"batch_size": 32, "epochs": 6, "patience": 6, "final_fit": True}
        project.set("corpora.own.training", settings | training)
        for stage, options in (
            (stages.prepare, {"raw": "raw", "out": "rows/own"}),
            (stages.tokenize_text, {"rows": "rows/own", "out": "words"}),
            (stages.build_vocab, {"words": "words", "out": "ids"}),
            (stages.gather_texts, {"corpora": "rows", "out": "texts"}),
            (stages.learn_vectors, {"ids": "ids", "gathered": "texts", "out": "vectors"}),
        ):
            assert run_here(stage, corpus="own", **options) == ""
        trained, folder = {"corpus": "own", "model": model}, f"trained/{model}"
        if model == "tfidf":
            assert run_here(stages.train_linear, **trained, words="words", out=folder) == ""
        else:
            trained |= {"settings": "training", "input": "vectors", "checkpoints": "checkpoints"}
            trained |= {"pretrained": "vectors/vectors.safetensors"}
            for number in SEEDS:
                assert run_here(stages.train, **trained, seed=number, out=f"{folder}/{number}") == ""
        outs = {"metrics": f"metrics/{model}.json", "predictions": f"results/own/predictions/{model}.parquet"}
        assert run_here(stages.evaluate, trained=folder, **outs, confusion="confusion.csv") == ""
        return json.loads(Path(f"metrics/{model}.json").read_text())

    return learned


def recall(metrics: dict, split: str = "test") -> float:
    return metrics[split]["by_class"]["rare"]["recall"]


def test_weights_raise_the_rare_classs_recall_of_a_network_as_the_mean_of_three_seeds(learned):
    plain, balanced, given = (learned("average", class_weights=each) for each in ("none", "balanced", WEIGHTS))
    assert min(recall(balanced), recall(given)) > recall(plain) + 0.2
    assert balanced["test"]["balanced_accuracy"] > plain["test"]["balanced_accuracy"]
    assert [plain["test"]["by_class"][name]["support"] for name in LABELS] == [128, 24, 8]


def test_weights_raise_the_rare_classs_recall_of_the_linear_model_as_the_mean_of_three_corpora(learned):
    found = {
        name: np.mean([recall(learned("tfidf", seed, class_weights=weights)) for seed in SEEDS])
        for name, weights in (("none", "none"), ("balanced", "balanced"), ("given", WEIGHTS))
    }
    assert min(found["balanced"], found["given"]) > found["none"] + 0.2


def test_without_weights_and_by_the_loss_is_as_without_a_word(learned):
    learned("average")
    before = {path: path.read_bytes() for path in Path("trained").rglob("*.*")}
    learned("average", class_weights="none", choose_by="loss")
    assert {path.name for path in before} >= {"model.safetensors", "history.csv", "run.json", "predictions.parquet"}
    assert {path: path.read_bytes() for path in Path("trained").rglob("*.*")} == before


def test_the_page_shows_every_classs_recall(learned, project):
    metrics = {model: learned(model, class_weights="balanced", choose_by="macro_f1") for model in ("tfidf", "average")}
    assert "valid_macro_f1" in Path("trained/average/1/history.csv").read_text()
    assert json.loads(Path("trained/average/1/run.json").read_text())["class_weights"] == "balanced"
    given = {"corpus": "own", "predictions": "results/own/predictions"}
    of_texts = {"rows": "rows/own", "words": "words", "ids": "ids", "texts": "mistakes/own.json"}
    assert run_here(stages.compare, **given, metrics="metrics", out="results/own/comparison.json") == ""
    assert run_here(stages.analyze, **given, **of_texts, out="results/own/errors.json") == ""
    for name in ("claims.json", "gates.json"):
        project.write(f"results/{name}", (REPOSITORY / "results" / name).read_bytes())
    options = {"mistakes": "mistakes", "benchmarks": REPOSITORY / "benchmarks/attention.json"}
    assert run_here(stages.report, results="results", **options, out="report.html") == ""
    page = Path("report.html").read_text()
    compared = json.loads(Path("results/own/comparison.json").read_text())["models"]
    for model, scored in metrics.items():
        found = compared[model]["by_class"]
        [shown] = re.findall(f"<caption>{model}, by class</caption>(.+?)</table>", page, re.DOTALL)
        rows = {name: re.findall("<td>(.+?)</td>", row) for name, row in re.findall(ROW, shown, re.DOTALL)}
        assert rows == {
            name: [str(found[name]["support"])]
            + [f"{100 * found[name][score]:.1f}" for score in ("recall", "precision", "f1")]
            for name in LABELS
        }
        for name in LABELS:
            assert found[name]["recall"] == pytest.approx(scored["test"]["by_class"][name]["recall"], abs=0.001)
        assert (rows["rare"][0], rows["usual"][0]) == ("8", "128")
