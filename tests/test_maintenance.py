"""Merging two branches that both ran the pipeline, and naming results that are older than what made them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from maintenance import select as selection
from maintenance.stale import md5, stale_stages

ROOT = Path(__file__).parent.parent
SCRIPT = """
import json, sys, yaml
params = yaml.safe_load(open("params.yaml"))
json.dump({key: params[key] for key in sys.argv[2:]}, open(sys.argv[1], "w"))
"""
STAGES = {"left": ["a"], "right": ["b"], "both": ["a", "b"]}
APART = "\n# so far apart that git merges what stands above and below\n" * 4


def run(folder: Path, *command: str, status: int = 0) -> str:
    names = {f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | names | {"PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def set_params(folder: Path, a: int, b: int) -> None:
    (folder / "params.yaml").write_text(f"a: {a}\n{APART}\nb: {b}\n")


@pytest.fixture
def merging(tmp_path) -> Path:
    """A pipeline of three stages in the middle of merging a branch that changed `b` into one that changed `a`."""
    (tmp_path / "write.py").write_text(SCRIPT)
    (tmp_path / "metrics").mkdir()
    stages = {
        name: {
            "cmd": f"{sys.executable} write.py metrics/{name}.json {' '.join(keys)}",
            "deps": ["write.py"],
            "params": keys,
            "metrics": [{f"metrics/{name}.json": {"cache": False}}],
        }
        for name, keys in STAGES.items()
    }
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages, "metrics": ["metrics"]}, sort_keys=False))
    set_params(tmp_path, 1, 1)
    run(tmp_path, "git", "init", "-q", "-b", "main")
    run(tmp_path, "dvc", "init", "-q")
    for branch, a, b in (("main", 1, 1), ("other", 1, 2), ("mine", 2, 1)):
        if branch != "main":
            run(tmp_path, "git", "switch", "-qc", branch, "main")
        set_params(tmp_path, a, b)
        run(tmp_path, "dvc", "repro")
        run(tmp_path, "git", "add", "--all")
        run(tmp_path, "git", "commit", "-qm", branch)
    run(tmp_path, "git", "merge", "other", status=1)
    return tmp_path


def test_a_merge_is_resolved_and_only_what_both_branches_changed_runs_again(merging):
    conflicts = set(run(merging, "git", "diff", "--name-only", "--diff-filter=U").split())
    assert conflicts == {"dvc.lock", "metrics/both.json"}

    said = run(merging, sys.executable, "-m", "maintenance.resolve")
    assert "both: changed on both branches, will run again" in said
    output = run(merging, "dvc", "repro")
    assert set(re.findall(r"Running stage '(.+?)'", output)) == {"both"}
    run(merging, "git", "add", "--all")
    run(merging, "git", "commit", "-qm", "merged")

    values = {name: json.loads((merging / f"metrics/{name}.json").read_text()) for name in STAGES}
    assert values == {"left": {"a": 2}, "right": {"b": 2}, "both": {"a": 2, "b": 2}}
    difference = json.loads(run(merging, "dvc", "metrics", "diff", "main", "--json"))
    assert {Path(file).stem for file in difference} == set(STAGES)
    assert "up to date" in run(merging, "dvc", "repro")


def test_what_a_person_wrote_is_left_to_the_person(merging):
    run(merging, "git", "merge", "--abort")
    set_params(merging, 3, 3)
    run(merging, "git", "commit", "-qam", "both numbers")
    run(merging, "git", "merge", "other", status=1)
    said = run(merging, sys.executable, "-m", "maintenance.resolve", status=1)
    assert "still yours to resolve: params.yaml" in said
    assert "<<<<<<<" in (merging / "params.yaml").read_text()
    assert "<<<<<<<" not in (merging / "dvc.lock").read_text()


def test_without_a_merge_there_is_nothing_to_resolve(merging):
    run(merging, "git", "merge", "--abort")
    assert "error: no file is in conflict" in run(merging, sys.executable, "-m", "maintenance.resolve", status=1)


@pytest.fixture
def project(tmp_path) -> Path:
    """A pipeline of one group, and the lock of a corpus that is not selected now."""
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/train.py").write_text("print(1)\n")
    stage = {
        "matrix": {"corpus": "${run.corpora}"},
        "cmd": "python -m stages.train --corpus ${item.corpus} --encoder ${run.encoders[0]}",
        "deps": ["data/raw/${item.corpus}", "stages/train.py"],
        "params": ["corpora.${item.corpus}.labels", "run"],
    }
    params = {
        "run": {"corpora": ["small"], "encoders": ["bert"], "seeds": [1]},
        "corpora": {"large": {"labels": [0, 1]}},
    }
    entry = {
        "cmd": "python -m stages.train --corpus large --encoder bert",
        "deps": [
            {"path": "data/raw/large", "md5": "0.dir"},
            {"path": "stages/train.py", "md5": md5(tmp_path / "stages/train.py")},
        ],
        "params": {"params.yaml": {"corpora.large.labels": [0, 1], "run": params["run"] | {"corpora": ["large"]}}},
    }
    for file, content in (
        ("dvc.yaml", {"stages": {"train": stage}}),
        ("dvc.lock", {"stages": {"train@large": entry}}),
        ("params.yaml", params),
    ):
        (tmp_path / file).write_text(yaml.safe_dump(content))
    return tmp_path


def test_results_of_the_code_as_it_is_are_not_stale(project):
    assert stale_stages(project) == {}


def test_a_corpus_that_was_run_with_its_own_encoder_is_not_stale(project):
    params, lock = (yaml.safe_load((project / file).read_text()) for file in ("params.yaml", "dvc.lock"))
    own = {"encoders": ["other"], "seeds": [7]}
    params["corpora"]["large"]["run"] = own
    entry = lock["stages"]["train@large"]
    entry["cmd"] = entry["cmd"].replace("--encoder bert", "--encoder other")
    entry["params"]["params.yaml"]["run"] |= own
    for file, content in (("params.yaml", params), ("dvc.lock", lock)):
        (project / file).write_text(yaml.safe_dump(content))
    assert stale_stages(project) == {}


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("stages/train.py", "print(1)", "print(2)", "stages/train.py"),
        ("params.yaml", "- 0", "- 2", "corpora.large.labels"),
        ("params.yaml", "seeds:\n  - 1", "seeds:\n  - 2", "run"),
        ("dvc.yaml", "stages.train --corpus", "stages.train --fast --corpus", "cmd"),
        ("dvc.yaml", "- run\n", "- run\n    - evaluate\n", "evaluate"),
    ],
)
def test_results_of_other_code_or_parameters_are_stale(project, file, old, new, reason):
    content = (project / file).read_text()
    assert old in content
    (project / file).write_text(content.replace(old, new))
    assert stale_stages(project) == {"train@large": [reason]}


def test_of_a_code_folder_only_modules_count_as_dvc_has_it(tmp_path):
    folder = tmp_path / "stages/training"
    for module in ("__init__.py", "loop.py", "deeper/cells.py"):
        (folder / module).parent.mkdir(parents=True, exist_ok=True)
        (folder / module).write_text(f"# {module}\n")
    stage = {"cmd": "echo trained > run", "deps": ["stages/training"], "outs": ["run"]}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"train": stage}}))
    run(tmp_path, "git", "init", "-q")
    run(tmp_path, "dvc", "init", "-q")
    (tmp_path / ".dvcignore").write_text((ROOT / ".dvcignore").read_text())
    run(tmp_path, "dvc", "repro")
    [dep] = yaml.safe_load((tmp_path / "dvc.lock").read_text())["stages"]["train"]["deps"]
    assert dep["md5"] == md5(folder)

    for left in (".DS_Store", "loop.py~", "draft.txt", "__pycache__/loop.cpython-311.pyc"):
        (folder / left).parent.mkdir(exist_ok=True)
        (folder / left).write_text("left behind")
    assert "up to date" in run(tmp_path, "dvc", "repro")
    assert dep["md5"] == md5(folder)
    (folder / "loop.py").write_text("# another loop\n")
    assert "Running stage 'train'" in run(tmp_path, "dvc", "repro")


def test_a_lock_cut_short_is_as_in_the_last_commit_again(merging):
    conflicting = (merging / "dvc.lock").read_bytes()
    assert "make resolve" in run(merging, sys.executable, "-m", "maintenance.mend", status=1)
    assert (merging / "dvc.lock").read_bytes() == conflicting

    run(merging, "git", "merge", "--abort")
    whole = (merging / "dvc.lock").read_bytes()
    for size in (0, 1, 40, 200, -1):
        (merging / "dvc.lock").write_bytes(whole[:size])
        assert "damaged" in run(merging, sys.executable, "-m", "maintenance.mend")
        assert (merging / "dvc.lock").read_bytes() == whole

    for content in ("", '{"out": {"wri'):
        (merging / ".dvc/tmp/rwlock").write_text(content)
        assert run(merging, sys.executable, "-m", "maintenance.mend") == ""
        assert "up to date" in run(merging, "dvc", "repro")


def test_a_corpus_is_chosen_with_its_own_seeds(tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    monkeypatch.chdir(tmp_path)
    selection.main("imdb", "50", "")
    chosen = yaml.safe_load(Path("params.yaml").read_text())["run"]
    assert (chosen["corpora"], chosen["seeds"], chosen["glove_dimensions"]) == (["imdb"], [1], [50])
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    with pytest.raises(SystemExit, match=r"^error: imdb,sample differ under `run`"):
        selection.main("imdb,sample", "", "")
    selection.main("imdb_notebook", "", "bert_base")
    chosen = yaml.safe_load(Path("params.yaml").read_text())["run"]
    assert (chosen["models"]["features"], chosen["models"]["lstm"], chosen["encoders"]) == (
        ["notebook_bigru"],
        [],
        ["bert_base"],
    )
