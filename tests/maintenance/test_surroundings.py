"""Another user in the checkout, a checkout that was moved, no git, no folder for temporary files."""

import ast
import errno
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
import yaml

import stages.check_params
from stages.common import files
from stages.common.locks import locked
from tests.bad_input import refused
from tests.commands import ended, run, run_here, stage_command
from tests.projects import REPOSITORY, Project, read_params

SCRIPTS = {path.name for path in Path(sys.executable).parent.iterdir()} - {"python", "python3"}
GROUP = 60_001
RUN = read_params(REPOSITORY)["run"]
READS_ALL = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")  # Python may be in root's folder
needs_users = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root, with setpriv, can be two users"
)


def check_params_as(user: int, umask: int, project: Project, out: str) -> subprocess.CompletedProcess[str]:
    as_user = ["setpriv", f"--reuid={user}", f"--regid={GROUP}", "--clear-groups", *READS_ALL]
    command = ["sh", "-c", f'umask {umask:03o}; exec "$@"', "sh", *as_user, *stage_command("check_params", out=out)]
    return ended(project.folder, *command, PYTHONDONTWRITEBYTECODE="1")


@pytest.fixture
def shared(project: Project) -> Project:
    """A project in a folder of a group, as docs/operations.md has it."""
    os.chown(project.folder, 60_001, GROUP)
    project.folder.chmod(0o2775)
    return project


@needs_users
def test_two_users_share_a_checkout(shared):
    for user in (60_001, 60_002, 60_001):
        done = check_params_as(user, 0o002, shared, "data/params.checked")
        assert (done.stderr, done.returncode) == ("", 0)
    assert [path.name for path in (shared.folder / "data").iterdir()] == ["params.checked"]


@needs_users
def test_a_lock_that_a_killed_stage_of_another_user_left_locks_nobody_out(shared):
    lock = shared.folder / ".params.checked.lock"
    with locked(shared.folder / "params.checked", wait=False):
        mode = lock.stat().st_mode
    lock.touch()
    lock.chmod(mode)
    assert check_params_as(60_002, 0o022, shared, "params.checked").returncode == 0
    assert not lock.exists()


@needs_users
def test_what_another_user_keeps_to_themselves_is_said_in_a_sentence(shared):
    assert check_params_as(60_001, 0o077, shared, "data/params.checked").returncode == 0
    done = check_params_as(60_002, 0o002, shared, "data/params.checked")
    assert done.returncode == 1
    refused(done.stderr, shared.folder / "out", "data/.params.checked.lock", "Permission denied", "docs/operations.md")


def test_a_lock_is_every_users_and_goes(tmp_path):
    before = os.umask(0o077)
    try:
        with locked(tmp_path / "out", wait=False):
            assert stat.S_IMODE((tmp_path / ".out.lock").stat().st_mode) == 0o666
    finally:
        os.umask(before)
    with pytest.raises(RuntimeError), files.new_folder(tmp_path / "out"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_goes_lets_only_one_in(tmp_path):
    """Who opened the file before it went must not hold what has no name any more."""
    inside, most = [], []

    def enter() -> None:
        for _ in range(40):
            with locked(tmp_path / "out", wait=True):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.0005)
                inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 160


def test_an_out_that_may_not_be_removed_is_what_is_named(tmp_path, monkeypatch):
    """As where another user made it with the umask 022."""
    (tmp_path / "out").mkdir()

    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    with pytest.raises(PermissionError) as caught, files.new_folder(tmp_path / "out"):
        monkeypatch.setattr(os, "rmdir", refuse)
    assert caught.value.filename == str(tmp_path / "out")


def test_a_stage_needs_no_folder_for_temporary_files(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with pytest.raises(FileNotFoundError), tempfile.TemporaryFile():
        pass
    assert run_here(stages.check_params, out="data/params.checked") == ""


def test_a_checkpoint_belongs_to_its_code_wherever_that_is(tmp_path):
    script = "from pathlib import Path\nfrom stages.training.checkpoints import resume_key\n"
    script += "print(resume_key([Path('params.yaml')], {'seed': 1}))\n"
    keys = set()
    for name in ("here", "there is another"):
        folder = tmp_path / name
        shutil.copytree(REPOSITORY / "stages", folder / "stages", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(REPOSITORY / "params.yaml", folder)
        (folder / "key.py").write_text(script)
        keys.add(subprocess.run([sys.executable, "key.py"], cwd=folder, capture_output=True, check=True).stdout)
    assert len(keys) == 1


@pytest.fixture
def without_git(tmp_path: Path) -> Path:
    """A pipeline of one stage, as it comes out of a ZIP."""
    stage = {"cmd": "echo made > out", "outs": ["out"]}
    (tmp_path / ".dvc").mkdir()
    shutil.copy(REPOSITORY / ".dvc/config", tmp_path / ".dvc")
    for name, content in {
        "dvc.yaml": {"stages": {"make": stage}},
        "params.yaml": {},
        "runs/a.yaml": {"run": RUN},
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(yaml.safe_dump(content))
    for name in ("corpora", "stages"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_without_git_all_works_but_what_is_gits(without_git):
    engine = [sys.executable, "-m", "maintenance.engine", "--jobs=1"]
    assert run(without_git, *engine).startswith("DVC works without git here\n")
    assert (without_git / "out").read_text() == "made\n"
    run(without_git, sys.executable, "-m", "maintenance.collect_garbage", "--force")  # a command of DVC's own
    done = ended(without_git, sys.executable, "-m", "maintenance.resolve")
    assert done.returncode == 1
    refused(done.stderr, without_git / "none", "`git ls-files`: ", "not a git repository")
    run(without_git, "git", "init", "-q")
    assert run(without_git, *engine) == "DVC works with git again\nData and pipelines are up to date.\n"


def test_no_target_of_make_starts_a_script_by_name():
    """Its first line has the folder where pip wrote it."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    started = re.findall(r"(?:^\t@?|&& )([\w./-]+)", makefile, re.MULTILINE)
    assert {"python", ".venv/bin/python"} <= set(started)
    assert SCRIPTS.intersection(Path(name).name for name in started) == set()


def test_no_module_starts_a_script_by_name():
    """A list that begins with a script's name is a command: DVC's and ruff's are among them."""
    assert {"dvc", "ruff"} <= SCRIPTS
    modules = [path for name in ("stages", "maintenance", "benchmarks") for path in (REPOSITORY / name).rglob("*.py")]
    lists = [node for path in modules for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.List)]
    first = [node.elts[0].value for node in lists if node.elts and isinstance(node.elts[0], ast.Constant)]
    assert SCRIPTS.intersection(first) == set()


def test_every_target_of_make_is_phony_but_the_environment():
    """As make reads the Makefile."""
    command = ["make", "--print-data-base", "--question", "--no-builtin-rules", "--no-builtin-variables", "help"]
    said = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True).stdout
    blocks = [block for block in said.split("\n\n") if "recipe to execute" in block]
    targets = {re.search(r"^([^#\s][^:]*):", block, re.MULTILINE)[1]: "Phony target" in block for block in blocks}
    assert {"help", "repro", "test"} <= set(targets)
    assert {target for target, phony in targets.items() if not phony} == {".venv/installed"}


def test_what_a_killed_run_leaves_is_neither_dvcs_nor_gits():
    for name in (".dvcignore", ".gitignore"):
        assert {".*.lock", ".*.tmp"} <= set((REPOSITORY / name).read_text(encoding="utf-8").split("\n"))
