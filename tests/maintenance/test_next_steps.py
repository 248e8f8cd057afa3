"""What `make repro` says at its end."""

import json
import shlex

import pytest

from maintenance import next_steps
from tests.projects import only


@pytest.fixture
def run(project, monkeypatch, capsys):
    def run(**accuracies: float) -> list[str]:
        project.set("run.models", only(pooled=["average"], lstm=["lstm"], features=["bigru"]))
        for model, accuracy in accuracies.items():
            content = {"valid": {"accuracy": 0.5}, "test": {"accuracy": accuracy}}
            project.write(f"metrics/own/{model}.json", json.dumps(content).encode())
        monkeypatch.chdir(project.folder)
        next_steps.main()
        return capsys.readouterr().out.splitlines()

    return run


def test_the_most_accurate_model_comes_first_and_only_models_that_run_names(run):
    heading, table, *_ = run(average=0.75, lstm=0.8126, minilm_bigru=0.9, cnn=0.99)
    assert heading == "own: accuracy on test"
    assert table.split() == ["minilm_bigru", "0.900", "lstm", "0.813", "average", "0.750"]


def test_the_example_can_be_run_as_it_is(run):
    *_, line = run(average=0.75)
    command = shlex.split(line.removeprefix("ask one:"))
    assert command == [".venv/bin/python", "-m", "stages.predict", "--corpus", "own", next_steps.EXAMPLE]


def test_on_a_narrow_terminal_the_columns_are_fewer(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    said = run(average=0.75, lstm=0.8126, minilm_bigru=0.9)
    assert [line.split() for line in said[1:4]] == [["minilm_bigru", "0.900"], ["lstm", "0.813"], ["average", "0.750"]]


def test_before_anything_is_evaluated_no_table_is_shown(run):
    assert [line.split(":")[0] for line in run()] == ["all of it", "ask them", "ask one"]
