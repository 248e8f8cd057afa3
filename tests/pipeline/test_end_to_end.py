"""The whole pipeline in a copy of the project: run it, run it again, change one number, compare branches."""

import functools
import json
import re
import shutil
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.commands import ended, run
from tests.copies import change_params, copy_project, make_small
from tests.projects import only


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the project, committed on `main`, whose pipeline has run once."""
    folder = tmp_path_factory.mktemp("a project, für Probe")
    copy_project(folder)
    make_small(folder)
    shutil.copyfile(folder / "run.yaml", folder / "runs/small.yaml")
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "dvc", "repro")
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "-qm", "a run")
    return folder


def stages_that_ran(output: str) -> set[str]:
    """The stages that `dvc repro` or `make repro` said that it ran."""
    return set(re.findall(r"^(?:Running stage '|running )([^'\n]+)", output, re.MULTILINE))


SUMMARIES = {
    "predict_sentences@sample",
    "compare@sample",
    "analyze@sample",
    "report",
}  # of all models, whichever of them ran again
IN_GIT = ("evaluate", "predict", "compare", "analyze", "claims", "report")


def what_is_not_cached(output: str) -> set[str]:
    """Stages that ran, except those whose outs are in git or made from such: DVC runs them again in seconds."""
    return {stage for stage in stages_that_ran(output) if not stage.startswith(IN_GIT)}


def test_metrics_are_sorted_json_of_fractions(project):
    text = (project / "metrics/sample/lstm.json").read_text()
    metrics = json.loads(text)
    assert text == json.dumps(metrics, indent=2, sort_keys=True) + "\n"
    assert set(metrics) == {"valid", "test", "parameters"}
    assert metrics["test"]["n"] == 199
    assert 0 <= metrics["test"]["accuracy"] <= 1
    scores = {"accuracy", "accuracy_std", "balanced_accuracy", "macro_f1", "f1", "log_loss"}
    assert set(metrics["test"]) == scores | {"n"}


def test_a_second_run_has_nothing_to_do_and_changes_nothing(project):
    output = run(project, "make", "repro")
    assert "Data and pipelines are up to date." in output
    assert stages_that_ran(output) == set()
    assert run(project, "git", "status", "--porcelain") == ""


def test_a_fault_in_a_corpus_that_is_not_built_stops_nobody(project):
    broken = project / "corpora/broken.yaml"
    broken.write_text("labels: [")
    output = run(project, "make", "repro")
    broken.unlink()
    assert "up to date" in output


def test_one_changed_number_reruns_only_its_model_and_shows_in_the_diff(project):
    run(project, "git", "switch", "-qc", "faster")
    change_params(project, lambda params: params["models"]["lstm"]["optimization"].update(learning_rate=0.1))
    output = run(project, "dvc", "repro")
    assert stages_that_ran(output) == {"train_lstm@sample-lstm-1", "evaluate_lstm@sample-lstm"} | SUMMARIES

    difference = json.loads(run(project, "dvc", "metrics", "diff", "main", "--json"))
    assert {Path(file).as_posix() for file in difference} == {"metrics/sample/lstm.json"}
    assert difference["metrics/sample/lstm.json"]["test.log_loss"]["diff"] != 0

    run(project, "git", "commit", "-qam", "faster")
    run(project, "git", "switch", "-q", "main")
    assert what_is_not_cached(run(project, "dvc", "repro")) == set()
    assert run(project, "git", "status", "--porcelain") == ""


def test_glove_is_one_parameter_away_and_reruns_nothing_else(project, tmp_path):
    with zipfile.ZipFile(tmp_path / "glove.6B.zip", "w") as archive:
        lines = [" ".join([word, *["0.25"] * 100]) for word in ("the", "film", "a")]
        archive.writestr("glove.6B.100d.txt", "\n".join(lines) + "\n")
    outputs = []
    for dimension in (50, 100):
        change_params(project, lambda params, chosen=dimension: params["run"].update(glove_dimensions=[chosen]))
        outputs.append(run(project, "dvc", "repro", DATA_MIRROR=str(tmp_path)))
    run(project, "git", "checkout", "-q", ".")

    for dimension, output in zip((50, 100), outputs, strict=True):
        expected = {f"download_glove@{dimension}", f"embed_glove@sample-{dimension}"}
        expected |= {f"train_glove@sample-{dimension}-glove_lstm-1", f"evaluate_glove@sample-{dimension}-glove_lstm"}
        assert stages_that_ran(output) - {"check_params"} == expected | SUMMARIES


def test_other_layers_of_the_encoder_rerun_the_embedding_and_what_reads_it(project):
    change_params(project, lambda params: params["encoders"]["minilm"].update(layers=[6]))
    output = run(project, "dvc", "repro")
    run(project, "git", "checkout", "-q", ".")
    expected = {
        "embed_bert@sample-minilm",
        "train_features@sample-minilm-bigru-1",
        "evaluate_features@sample-minilm-bigru",
    }
    assert stages_that_ran(output) - {"check_params"} == expected | SUMMARIES


def cached_of_sample(project: Path) -> set[str]:
    """Hashes of the embedded corpus's outs that are in DVC's cache, without GloVe's, which no file in runs/ needs."""
    stages = yaml.safe_load((project / "dvc.lock").read_text())["stages"]
    chosen = [entry for name, entry in stages.items() if "@sample" in name and "glove" not in name]
    found = {out["md5"] for entry in chosen for out in entry["outs"]}
    return {md5 for md5 in found if (project / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).exists()}


def test_your_own_corpus_is_a_file_and_a_folder(project, tmp_path):
    def add_corpus(params):
        params["corpora"]["mine"] = params["corpora"]["sample"] | {
            "source": {"files": {"a.csv": None, "b.csv": None}},
            "splits": {"train": "a.csv", "valid": "b.csv", "test": "b.csv", "repeated": "keep"},
            "columns": {"text": "review", "label": "stars"},
            "labels": {"negative": "one", "positive": "five"},
        }

    change_params(project, add_corpus)
    (project / "data/mine").mkdir()
    for name, rows in (("a.csv", 40), ("b.csv", 12)):
        lines = [
            f'"Well, number {i} was {"dull" if i % 2 else "fun"}.",{"one" if i % 2 else "five"}' for i in range(rows)
        ]
        (project / "data/mine" / name).write_text("\n".join(["review,stars", *lines]) + "\n")
    chosen = yaml.safe_load((project / "run.yaml").read_text())
    chosen["run"] |= {"corpora": ["mine"], "models": only(ngrams=["tfidf"], pooled=["average"])}
    chosen["run"] |= {"encoders": [], "frozen_encoders": [], "finetuned_encoders": [], "teachers": []}
    (project / "runs/mine.yaml").write_text(yaml.safe_dump(chosen))

    run(project, "make", "repro", "RUN=mine")

    assert json.loads((project / "metrics/mine/average.json").read_text())["test"]["n"] == 12
    assert "up to date" in run(project, "dvc", "repro")  # what was chosen is what every command of DVC knows
    assert run(project, "dvc", "status").strip() == "Data and pipelines are up to date."
    run(project, "dvc", "remote", "add", "--default", "--local", "stored", str(tmp_path / "stored"))
    run(project, "dvc", "push")
    assert run(project, "dvc", "status", "--cloud").strip().endswith("in sync.")

    before = cached_of_sample(project)
    run(project, sys.executable, "-m", "maintenance.collect_garbage", "--force")
    assert len(before) > 10
    assert cached_of_sample(project) == before
    assert run(project, "dvc", "status").strip() == "Data and pipelines are up to date."
    run(project, "git", "checkout", "-q", "run.yaml")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda params: params.update(evalute={}), "unknown key 'evalute'; did you mean 'evaluate'?"),
        (lambda params: params["run"].update(corpora="sample"), "run.corpora is 'sample'; it should be a list"),
        (lambda params: params["run"].pop("models"), "run lacks the key 'models'"),
    ],
)
def test_faulty_parameters_are_one_sentence_before_anything_runs(project, change, fault):
    change_params(project, change)
    done = ended(project, "make", "repro")
    run(project, "git", "checkout", "-q", ".")
    assert done.returncode != 0
    assert stages_that_ran(done.stdout) == set()
    assert fault in done.stderr


def test_a_choice_that_is_not_there_leaves_run_yaml_as_it_was(project):
    before = (project / "run.yaml").read_bytes()
    done = ended(project, "make", "repro", "RUN=smal")
    assert done.returncode != 0
    assert "error: there is no runs/smal.yaml; did you mean 'small'?" in done.stderr
    assert (project / "run.yaml").read_bytes() == before


@pytest.mark.parametrize(("group", "name"), [("corpora", "smaple"), ("encoders", "minilmm"), ("models.lstm", "lsmt")])
def test_an_unknown_name_is_one_sentence_before_anything_runs(project, group, name):
    *parents, last = group.split(".")
    change_params(project, lambda params: functools.reduce(dict.get, parents, params["run"]).update({last: [name]}))
    done = ended(project, "dvc", "repro")
    run(project, "git", "checkout", "-q", ".")
    assert done.returncode != 0
    assert stages_that_ran(done.stdout) == {"check_params"}
    if group == "corpora":
        assert f"error: there is no corpora/{name}.yaml; did you mean" in done.stderr
    else:
        assert f"error: run.yaml: run.{group} names '{name}'; did you mean" in done.stderr
    assert not (project / "data" / "raw" / name).exists()
