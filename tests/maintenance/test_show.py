"""`make show`: the models of a corpus in the terminal."""

import json
from collections.abc import Callable

import pytest

from maintenance import show
from tests.commands import run_here
from tests.projects import Project


def scores(accuracy: float, parameters: int) -> dict:
    return {"accuracy": accuracy, "interval": [accuracy - 0.05, accuracy + 0.05], "parameters": parameters}


COMPARISON = {
    "rows": 2000,
    "split": "test",
    "confidence": 0.95,
    "models": {"rnn": scores(0.7, 1_234_567), "minilm_finetuned": scores(0.9, 22_000_000), "gru": scores(0.88, 5_000)},
    "pairs": [
        {"first": "rnn", "second": "minilm_finetuned", "differs": True},
        {"first": "rnn", "second": "gru", "differs": True},
        {"first": "minilm_finetuned", "second": "gru", "differs": False},
    ],
}


@pytest.fixture
def shown(project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Callable[..., list[str]]:
    """The lines that it prints on a terminal of some width, of the selected corpus `own` or of those named."""
    for corpus in ("own", "other"):
        project.write(f"results/{corpus}/comparison.json", json.dumps(COMPARISON).encode())
    monkeypatch.chdir(project.folder)

    def shown(*names: str, width: int = 100) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        assert run_here(show, *names) == ""
        return capsys.readouterr().out.splitlines()

    return shown


def test_the_most_accurate_is_first_and_a_star_says_which_the_test_tells_from_it(shown):
    lines = shown()
    rows = [line.split() for line in lines if "–" in line]
    assert lines[0].strip() == "own: 2,000 rows of test"
    assert [row[0] for row in rows] == ["minilm_finetuned", "gru", "rnn"]
    assert rows[1][1:3] == ["88.0", "(83.0–93.0)"] and rows[1][-2:] == ["-2.0", "5,000"]
    assert rows[2][-2:] == ["-20.0*", "1,234,567"]
    assert "95 % intervals" in lines[-1]


def test_an_interval_is_drawn_between_the_lowest_and_the_highest():
    line = show.drawn(scores(0.7, 1), 0.65, 0.95)
    assert len(line) == show.DRAWN
    assert line.strip() == "────●────" and not line.startswith(" ")  # 23 steps for 0.3: 0.05 are 3.8


@pytest.mark.parametrize("width", [80, 40, 24])
def test_a_narrow_terminal_folds_and_cuts_nothing_off(shown, width):
    lines = shown(width=width)
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)
    first_column = "".join(line.split()[0] for line in lines if line[1:2].strip())
    assert "minilm_finetuned" in first_column


def test_other_corpora_can_be_named(shown):
    titles = [line.strip() for line in shown("other", "own") if "rows of" in line]
    assert titles == ["other: 2,000 rows of test", "own: 2,000 rows of test"]


@pytest.mark.parametrize(("names", "said"), [(["othr"], "did you mean 'other'?"), ([], "`make repro` makes it")])
def test_results_that_are_not_there_are_one_sentence(shown, project, names, said):
    (project.folder / "results/own/comparison.json").unlink()
    assert said in run_here(show, *names)
