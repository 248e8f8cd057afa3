"""The page of the committed results and of a corpus of three classes whose every name means ill."""

import json
import shutil
from pathlib import Path

import pytest

from stages import report
from tests.commands import run_here
from tests.projects import REPOSITORY

HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
LONG = "A film that means well and says so too often. " * 40
THREE = ["bad, or worse", f"fair {HOSTILE}", "good"]


def write_hostile(results: Path) -> None:
    """A copy of sst2's results as `hostile`, of three classes, in which the last model has another name and teaches."""
    shutil.copytree(results / "sst2", results / "hostile")
    last = json.loads((results / "sst2/comparison.json").read_text())["order"][-1]
    for name in ("comparison.json", "errors.json"):
        path = results / "hostile" / name
        text = path.read_text().replace(json.dumps(last), json.dumps(f"model {HOSTILE}"))
        path.write_text(text.replace('"glove_lstm"', '"lstm_distilled"'))
    path = results / "hostile/comparison.json"
    comparison = json.loads(path.read_text()) | {"classes": THREE, "teacher": f"model {HOSTILE}"}
    for model in comparison["models"].values():
        model |= {"macro_f1": model["f1"], "balanced_accuracy": model["accuracy"]}
        of_class = {"recall": 0.75, "precision": 0.5, "f1": 0.6, "support": 1291}
        model["by_class"] = dict.fromkeys(THREE, of_class)
        right, wrong = model["accuracy"] / 3, (1 - model["accuracy"]) / 6
        model["confusion"] = [[right if row == column else wrong for column in range(3)] for row in range(3)]
    path.write_text(json.dumps(comparison))


def write_page(folder: Path, out: Path) -> Path:
    """The page of a folder of `results` and `mistakes`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        paths = {"results": folder / "results", "mistakes": folder / "mistakes", "out": out}
        assert run_here(report, **paths, benchmarks="benchmarks/attention.json") == ""
    return out


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page, in whose folder there are the results and, of `movies` alone, mistakes with texts."""
    folder = tmp_path_factory.mktemp("report")
    shutil.copytree(REPOSITORY / "results", folder / "results", ignore=shutil.ignore_patterns("predictions"))
    write_hostile(folder / "results")
    models = json.loads((folder / "results/movies/errors.json").read_text())["models"].values()
    ids = sorted({mistake["id"] for model in models for mistake in model["mistakes"]})
    (folder / "mistakes").mkdir()
    texts = {row: f"{LONG if number % 5 == 0 else HOSTILE} number{number}" for number, row in enumerate(ids)}
    (folder / "mistakes/movies.json").write_text(json.dumps(texts))
    return write_page(folder, folder / "report.html")
