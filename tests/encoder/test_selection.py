"""Encoders side by side in one run, and nothing of those that no model reads."""

from pathlib import Path

import pytest
from dvc.repo import Repo

from stages import check_params
from stages.common import params
from stages.scoring.selection import selected_models, teacher
from tests.bad_input import refused
from tests.commands import run_here
from tests.copies import change_params, copy_project
from tests.projects import only

KEYS = ("encoders", "frozen_encoders", "finetuned_encoders")


def stages_of(folder: Path, models: dict[str, list[str]], *encoders: list[str], **more: list) -> dict[str, list[str]]:
    """Every stage that DVC sees of `sample`, with its outs, where these models, encoders and `more` are chosen."""
    chosen = {"corpora": ["sample"], "seeds": [1], "glove_dimensions": [], "teachers": [], "models": models}
    chosen |= dict(zip(KEYS, encoders, strict=True)) | more
    copy_project(folder)
    change_params(folder, lambda params: params["run"].update(chosen))
    (folder / ".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n", encoding="utf-8")
    with Repo(str(folder)) as repo:
        return {stage.name: [str(out) for out in stage.outs] for stage in repo.index.stages}


def test_without_models_on_encoders_nothing_of_them_is_fetched_or_computed(tmp_path):
    names = stages_of(tmp_path, only(ngrams=["tfidf"]), [], [], [])
    touched = [name for name in names if name.startswith(("download_encoder", "tokenize_wordpieces", "embed_bert"))]
    assert touched == []
    assert {"download_tokenizer", "train_ngrams@sample-tfidf"} <= set(names)


def test_of_encoders_side_by_side_each_has_its_own_places_and_runs_what_reads_it(tmp_path):
    models = only(features=["bigru"], finetuning=["finetuned"])
    names = stages_of(tmp_path, models, ["minilm", "mpnet"], ["minilm"], ["minilm", "mpnet"])
    assert {name for name in names if name.startswith("embed_bert")} == {"embed_bert@sample-minilm"}
    trained = {name for name in names if name.startswith("train_")}
    assert trained == {
        "train_features@sample-minilm-bigru-1",
        "train_finetuning@sample-minilm-finetuned-1",
        "train_finetuning@sample-mpnet-finetuned-1",
    }
    outs = [out for of_stage in names.values() for out in of_stage]
    assert len(outs) == len(set(outs))
    everything = params.load(tmp_path)
    assert selected_models(everything) == ["minilm_bigru", "minilm_finetuned", "mpnet_finetuned"]


BOTH = only(features=["bigru"], finetuning=["finetuned"])
FAULTS = {
    "a frozen encoder that nothing reads": (only(finetuning=["finetuned"]), ["minilm"], ["run.frozen_encoders is"]),
    "models without an encoder": (BOTH, [], ["run.finetuned_encoders is []", "run.models.finetuning is ['finetuned']"]),
    "an encoder in one list alone": (
        BOTH,
        ["mpnet"],
        ["run.encoders is ['minilm']", "write encoders: [minilm, mpnet]"],
    ),
}


@pytest.mark.parametrize(("models", "finetuned", "fragments"), FAULTS.values(), ids=FAULTS)
def test_lists_of_encoders_and_models_that_contradict_are_refused(
    project, monkeypatch, check, models, finetuned, fragments
):
    monkeypatch.chdir(project.folder)
    project.set("run.models", models)
    project.set("run.encoders", ["minilm"])
    project.set("run.frozen_encoders", ["minilm"])
    project.set("run.finetuned_encoders", finetuned)
    check(run_here(check_params, out="out/params.checked"), project.folder / "out", "run.yaml", *fragments)


LEARNING = only(finetuning=["finetuned"], distilled=["lstm_distilled"])
TEACHERS = {
    "a teacher without pupils": (
        BOTH,
        ["minilm"],
        ["run.teachers is ['minilm'] and run.models.distilled is []", "make both []"],
    ),
    "pupils without a teacher": (LEARNING, [], ["run.teachers is [] and run.models.distilled is ['lstm_distilled']"]),
    "a teacher that is not trained": (
        LEARNING,
        ["mpnet"],
        ["run.teachers names 'mpnet', which is not in finetuned_encoders"],
    ),
    "a teacher of another model": (
        LEARNING | {"finetuning": ["lstm"]},
        ["minilm"],
        ["run.models.finetuning lacks 'finetuned'"],
    ),
    "a pupil among those that learn from labels": (
        LEARNING | {"lstm": ["bilstm_distilled"]},
        ["minilm"],
        ["run.models.lstm names 'bilstm_distilled', which has distillation"],
    ),
    "labels alone for a pupil": (
        LEARNING | {"distilled": ["lstm"]},
        ["minilm"],
        ["run.models.distilled names 'lstm', which lacks distillation"],
    ),
}


@pytest.mark.parametrize(("models", "teachers", "fragments"), TEACHERS.values(), ids=TEACHERS)
def test_a_teacher_and_models_that_contradict_are_refused(project, monkeypatch, check, models, teachers, fragments):
    monkeypatch.chdir(project.folder)
    everything = {"models": models, "teachers": teachers, "encoders": ["minilm"], "finetuned_encoders": ["minilm"]}
    for key, value in (everything | {"frozen_encoders": ["minilm"] if models["features"] else []}).items():
        project.set(f"run.{key}", value)
    check(run_here(check_params, out="out/params.checked"), project.folder / "out", "run.yaml", *fragments)


def test_layers_rates_of_a_model_that_trains_no_encoder_are_refused(project, monkeypatch, check):
    monkeypatch.chdir(project.folder)
    project.set("models.lstm.optimization.layer_decay", 0.8)
    said = run_here(check_params, out="out/params.checked")
    check(said, project.folder / "out", "models.lstm.optimization has layer_decay", "take it out")
    project.set("run.models.lstm", [])  # then nothing is wrong with what is built
    assert run_here(check_params, out="data/params.checked") == ""


def test_models_that_learn_from_a_teacher_have_one_place_whoever_it_is(tmp_path):
    models = LEARNING | {"distilled": ["lstm_distilled", "average_distilled"]}
    names = stages_of(tmp_path, models, ["minilm"], [], ["minilm"], teachers=["minilm"], seeds=[7, 8])
    assert names["teach@sample-minilm"] == ["data/taught/sample"]
    trained = {name: outs for name, outs in names.items() if name.startswith("train_distilled")}
    assert trained == {
        f"train_distilled@sample-minilm-{model}-{seed}": [f"data/trained/sample/{model}/{seed}"]
        for model in models["distilled"]
        for seed in (7, 8)
    }
    with Repo(str(tmp_path)) as repo:
        [teach] = [stage for stage in repo.index.stages if stage.name.startswith("teach")]
    assert "data/trained/sample/minilm_finetuned/7" in [str(dep) for dep in teach.deps]
    everything = params.load(tmp_path)
    assert selected_models(everything) == ["average_distilled", "lstm_distilled", "minilm_finetuned"]
    assert teacher(everything) == "minilm_finetuned"


def test_without_a_teacher_nothing_learns_from_one(tmp_path):
    names = stages_of(tmp_path, only(ngrams=["tfidf"]), [], [], [])
    assert [name for name in names if name.startswith(("teach", "train_distilled", "evaluate_distilled"))] == []
    assert teacher(params.load(tmp_path)) is None


def test_files_of_an_encoders_folder_that_are_replaced_are_named_before_anything_runs(project, own, put_encoder):
    alone = {"described_by": "own", "encoders": ["own"], "frozen_encoders": ["own"], "finetuned_encoders": []}
    alone |= {"teachers": []}
    for key, value in (alone | {"models": only(features=["bigru"]), "glove_dimensions": []}).items():
        project.set(f"run.{key}", value)
    put_encoder()
    assert run_here(check_params, out="data/params.checked") == ""
    (own / "tokenizer.json").write_bytes(b"{}")
    said = run_here(check_params, out="out/params.checked")
    refused(said, project.folder / "out", f"encoders.own: {own}/tokenizer.json has SHA-256", "put the former file back")
    (own / "tokenizer.json").unlink()  # as where DVC's cache has what the run needs
    assert run_here(check_params, out="data/params.checked") == ""


def test_another_version_of_a_package_is_named_before_anything_runs(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    project.set("glove.50d.files", {"glove_6B_index.parquet": "0" * 64})
    assert "glove.50d: " in run_here(check_params, out="data/params.checked")
