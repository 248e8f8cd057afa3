"""Merging two branches that both ran the pipeline, and naming results that are older than what made them."""

import functools
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from maintenance.stale import stale_stages
from tests.commands import ended, run
from tests.projects import REPOSITORY, read_params

SCRIPT = """
import json, sys, yaml
params = yaml.safe_load(open("params.yaml"))
json.dump({key: params[key] for key in sys.argv[2:]}, open(sys.argv[1], "w"))
"""
RESOLVE = [sys.executable, "-m", "maintenance.resolve"]
RUN = read_params(REPOSITORY)["run"]
STAGES = {"left": ["a"], "right": ["b"], "both": ["a", "b"]}
APART = "\n# so far apart that git merges what is above and below\n" * 4


def set_params(folder: Path, a: int, b: int) -> None:
    (folder / "params.yaml").write_text(f"a: {a}\n{APART}\nb: {b}\n")


def write_branches(root: Path, place: str) -> None:
    """A pipeline of three stages, somewhere in a git repository, and branches that changed `b` and `a`."""
    folder = root / place
    folder.mkdir(exist_ok=True)
    (folder / "write.py").write_text(SCRIPT)
    (folder / "metrics").mkdir()
    stages = {
        name: {
            "cmd": f"{sys.executable} write.py metrics/{name}.json {' '.join(keys)}",
            "deps": ["write.py"],
            "params": keys,
            "metrics": [{f"metrics/{name}.json": {"cache": False}}],
        }
        for name, keys in STAGES.items()
    }
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages, "metrics": ["metrics"]}, sort_keys=False))
    set_params(folder, 1, 1)
    run(root, "git", "init", "-q", "-b", "main")
    run(folder, "dvc", "init", "-q", "--subdir")
    for branch, a, b in (("main", 1, 1), ("other", 1, 2), ("mine", 2, 1)):
        if branch != "main":
            run(folder, "git", "switch", "-qc", branch, "main")
        set_params(folder, a, b)
        run(folder, "dvc", "repro")
        run(folder, "git", "add", "--all")
        run(folder, "git", "commit", "-qm", branch)


@pytest.fixture(scope="module")
def branches(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The root of such a repository with its pipeline in a place, made once for each place."""

    @functools.cache
    def branches(place: str) -> Path:
        root = tmp_path_factory.mktemp("branches")
        write_branches(root, place)
        return root

    return branches


@pytest.fixture
def merging(branches: Callable[[str], Path], tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The pipeline's folder in the middle of merging the one branch into the other."""
    place = getattr(request, "param", ".")
    folder = Path(shutil.copytree(branches(place), tmp_path / "merging"), place)
    assert ended(folder, "git", "merge", "other").returncode == 1
    return folder


@pytest.mark.parametrize("merging", [".", "below"], indirect=True)
def test_a_merge_is_resolved_and_only_what_both_branches_changed_runs_again(merging):
    conflicts = set(run(merging, "git", "diff", "--relative", "--name-only", "--diff-filter=U").split())
    assert conflicts == {"dvc.lock", "metrics/both.json"}

    said = run(merging, *RESOLVE)
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
    assert ended(merging, "git", "merge", "other").returncode == 1
    refused = ended(merging, *RESOLVE)
    assert refused.returncode == 1
    assert "still yours to resolve: params.yaml" in refused.stdout + refused.stderr
    assert "<<<<<<<" in (merging / "params.yaml").read_text()
    assert "<<<<<<<" not in (merging / "dvc.lock").read_text()


def test_without_a_merge_there_is_nothing_to_resolve(merging):
    run(merging, "git", "merge", "--abort")
    refused = ended(merging, *RESOLVE)
    assert refused.returncode == 1
    assert "error: no file is in conflict" in refused.stderr


TRAINING = """
import pathlib, sys
folder = pathlib.Path("data/trained") / sys.argv[1]
folder.mkdir(parents=True)
(folder / "model").write_text({})
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline of one group in which two corpora have run, one after the other; the second is chosen."""
    folder = tmp_path_factory.mktemp("ran")
    stage = {
        "matrix": {"corpus": "${run.corpora}"},
        "cmd": "python stages/train.py ${item.corpus} ${run.seeds[0]}",
        "deps": ["data/raw/${item.corpus}", "stages/train.py"],
        "params": [{"corpora/${item.corpus}.yaml": ["labels"]}, {"run.yaml": ["run.seeds"]}, "models"],
        "outs": ["data/trained/${item.corpus}"],
    }
    pipeline = {"vars": ["run.yaml"], "stages": {"train": stage}}
    contents = {"dvc.yaml": pipeline, "params.yaml": {"models": {"lstm": 1}}}
    for corpus, seed in (("large", 7), ("small", 1)):
        contents |= {f"corpora/{corpus}.yaml": {"labels": [0, 1]}}
        contents |= {f"runs/{corpus}.yaml": {"run": RUN | {"corpora": [corpus], "seeds": [seed]}}}
        (folder / "data/raw").mkdir(parents=True, exist_ok=True)
        (folder / "data/raw" / corpus).write_text(corpus)
    for file, content in contents.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(yaml.safe_dump(content))
    (folder / "stages").mkdir()
    (folder / "stages/train.py").write_text(TRAINING.format('"trained"'))
    run(folder, "dvc", "init", "-q", "--no-scm")
    for corpus in ("large", "small"):
        shutil.copyfile(folder / f"runs/{corpus}.yaml", folder / "run.yaml")
        run(folder, "dvc", "repro")
    return folder


@pytest.fixture
def project(ran: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ran, tmp_path / "project"))


def test_results_of_the_code_as_it_is_are_not_stale_whatever_is_chosen_now(project):
    assert stale_stages(project) == {}


@pytest.mark.parametrize(
    ("file", "old", "new", "stale"),
    [
        ("stages/train.py", '"trained"', '"better"', {"large": ["stages/train.py"], "small": ["stages/train.py"]}),
        ("corpora/large.yaml", "- 0", "- 2", {"large": ["labels"]}),
        ("runs/large.yaml", "- 7", "- 8", {"large": ["cmd", "run.seeds"]}),
        ("params.yaml", "lstm: 1", "lstm: 2", {"large": ["models"], "small": ["models"]}),
        ("runs/small.yaml", "- small", "- other", {"small": ["in no run"]}),
    ],
)
def test_results_of_other_code_or_parameters_are_stale(project, file, old, new, stale):
    content = (project / file).read_text()
    assert old in content
    (project / file).write_text(content.replace(old, new))
    assert stale_stages(project) == {f"train@{corpus}": reasons for corpus, reasons in stale.items()}


def test_gc_keeps_what_any_run_needs_and_dvcs_own_what_is_chosen(project):
    def trained() -> set[str]:
        files = (path for path in (project / ".dvc/cache/files").rglob("*") if path.is_file())
        return {path.read_text() for path in files if not path.name.endswith(".dir")}

    (project / "stages/train.py").write_text(TRAINING.format("sys.argv[1]"))
    (project / "corpora/never.yaml").write_text("labels: [0, 1]\n")
    (project / "runs/never.yaml").write_text(yaml.safe_dump({"run": RUN | {"corpora": ["never"]}}))
    for corpus in ("large", "small"):
        shutil.copyfile(project / f"runs/{corpus}.yaml", project / "run.yaml")
        run(project, "dvc", "repro")
    assert trained() == {"trained", "large", "small"}
    run(project, sys.executable, "-m", "maintenance.collect_garbage", "--force")
    assert trained() == {"large", "small"}
    run(project, "dvc", "gc", "--workspace", "--force")
    assert trained() == {"small"}


def test_of_a_code_folder_only_modules_count_as_dvc_has_it(tmp_path):
    folder = tmp_path / "stages/training"
    for module in ("__init__.py", "loop.py", "deeper/cells.py"):
        (folder / module).parent.mkdir(parents=True, exist_ok=True)
        (folder / module).write_text(f"# {module}\n")
    stage = {"cmd": "echo trained > run", "deps": ["stages/training"], "outs": ["run"]}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"train": stage}}))
    run(tmp_path, "git", "init", "-q")
    run(tmp_path, "dvc", "init", "-q")
    (tmp_path / ".dvcignore").write_text((REPOSITORY / ".dvcignore").read_text())
    run(tmp_path, "dvc", "repro")

    for left in (".DS_Store", "loop.py~", "draft.txt", "__pycache__/loop.cpython-311.pyc"):
        (folder / left).parent.mkdir(exist_ok=True)
        (folder / left).write_text("left behind")
    assert "up to date" in run(tmp_path, "dvc", "repro")
    (folder / "loop.py").write_text("# another loop\n")
    assert "Running stage 'train'" in run(tmp_path, "dvc", "repro")
