"""`make repro`'s engine against DVC's own run: the same bytes, whatever ran beside what and however it was stopped."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # as DVC does
import pytest
import yaml
from conftest import REPOSITORY, refused
from test_end_to_end import change_params, copy_project, make_small

from maintenance.engine import jobs as jobs_module

ENGINE = [sys.executable, "-m", "maintenance.engine"]
DVC = [sys.executable, "-m", "dvc"]
ENVIRONMENT = os.environ | {
    "PYTHONPATH": str(REPOSITORY),
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    **{f"GIT_{who}_{what}": f"{who}@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
STAGES = {  # those that end first stand last, and two chains may run beside each other
    "slow": {"cmd": "sleep 0.8; cat text > slow", "deps": ["text"], "outs": ["slow"]},
    "fast": {"cmd": "cat text > fast", "deps": ["text"], "params": ["number"], "outs": ["fast"]},
    "folder": {"cmd": ["mkdir folder", "cp fast folder/a", "cp fast folder/b"], "deps": ["fast"], "outs": ["folder"]},
    "below": {"wdir": "sub", "cmd": "wc -c ../fast > below", "deps": ["../fast"], "outs": ["below"]},
    "every": {"cmd": "echo 1 > every", "always_changed": True, "outs": ["every"]},
    "scores": {
        "cmd": "echo '{\"accuracy\": 0.5}' > metrics.json; printf 'x,y\\n1,2\\n' > plot.csv; cat slow folder/a > last",
        "deps": ["slow", "folder", "added"],
        "outs": [{"last": {"cache": False}}],
        "metrics": [{"metrics.json": {"cache": False}}],
        "plots": [{"plot.csv": {"x": "x", "y": "y"}}],
    },
}
OUTS = ("slow", "fast", "folder/a", "folder/b", "sub/below", "every", "last", "metrics.json", "plot.csv", "added.dvc")


@contextmanager
def started(folder: Path, *arguments: str, **options: object) -> Iterator[subprocess.Popen]:
    """The engine at work; it does not outlive the block."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    with subprocess.Popen([*ENGINE, *arguments], cwd=folder, env=ENVIRONMENT, **streams) as process:
        try:
            yield process
        finally:
            process.terminate()


def engine(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [*ENGINE, *arguments]
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=240)


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write_project(folder: Path, stages: dict) -> Path:
    """Stages of shell commands, and the texts that they read, committed."""
    (folder / "sub").mkdir(parents=True)
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    (folder / "params.yaml").write_text("number: 1\n")
    for name in ("text", "added"):
        (folder / name).write_text(f"{name}\n")
    run(folder, "git", "init", "-q")
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text("[core]\n    autostage = true\n    analytics = false\n")
    (folder / ".dvc/.gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (folder / ".git/info/exclude").write_text("/logs/\n")
    return folder


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[[dict], Path]:
    return lambda stages: write_project(tmp_path / "project", stages)


@pytest.fixture
def project(make_project) -> Path:
    folder = make_project(STAGES)
    run(folder, *DVC, "add", "-q", "added")
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "-qm", "a project")
    return folder


def recorded(folder: Path) -> list[str]:
    lock = folder / "dvc.lock"
    return list(yaml.safe_load(lock.read_text())["stages"]) if lock.exists() else []


def serial(folder: Path) -> Path:
    """A copy of a project, before it runs, in which DVC then runs it."""
    other = Path(shutil.copytree(folder, folder.with_name("serial")))
    run(other, *DVC, "repro")
    return other


def assert_same(folder: Path, other: Path, outs: tuple[str, ...] = OUTS) -> None:
    for name in ("dvc.lock", *outs):
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name
    status, expected = (run(each, "git", "status", "--short") for each in (folder, other))
    assert status == expected


def test_lock_and_outs_have_the_bytes_of_a_serial_run(project):
    other = serial(project)
    ended = engine(project, "--jobs", "3")
    assert ended.returncode == 0, ended.stderr
    assert_same(project, other)
    again = run(project, *DVC, "repro")
    assert set(re.findall(r"Running stage '(.+?)'", again)) == {"every"}


def test_new_entries_come_after_the_old_ones_as_from_a_serial_run(project):
    run(project, *DVC, "repro", "folder")
    (project / "text").write_text("other\n")
    other = serial(project)
    assert engine(project, "--jobs", "3").returncode == 0
    assert_same(project, other)


def test_with_nothing_to_do_it_says_what_dvc_says(make_project):
    folder = make_project({"one": {"cmd": "echo 1 > one", "deps": ["text"], "outs": ["one"]}})
    assert engine(folder).returncode == 0
    before = (folder / "dvc.lock").stat().st_mtime_ns
    ended = engine(folder)
    assert ended.stdout == "Data and pipelines are up to date.\n"
    assert (folder / "dvc.lock").stat().st_mtime_ns == before


def test_what_the_cache_has_does_not_run(project):
    assert engine(project).returncode == 0
    for out in ("slow", "fast", "plot.csv"):
        (project / out).unlink()
    ended = engine(project, "--jobs", "1")
    assert re.findall(r"^running (.+)$", ended.stdout, re.MULTILINE) == ["every", "scores"]  # `last` is not cached
    assert "2 from the cache" in ended.stdout
    assert (project / "slow").read_text() == "text\n"


def test_a_target_runs_alone_with_what_it_needs(project):
    assert engine(project, "folder").returncode == 0
    assert recorded(project) == ["fast", "folder"]


def test_a_frozen_stage_keeps_its_outs(make_project):
    folder = make_project({"one": {"cmd": "cat text > one", "deps": ["text"], "outs": ["one"], "frozen": True}})
    (folder / "one").write_text("kept\n")
    other = serial(folder)
    ended = engine(folder)
    assert "one is frozen" in ended.stdout
    assert_same(folder, other, ("one",))


TWO = {
    name: {"cmd": f"echo start {name} >> trace; sleep 0.5; echo end {name} >> trace; echo > {name}", "outs": [name]}
    for name in ("one", "two")
}


@pytest.mark.parametrize(("jobs", "beside"), [("2", True), ("1", False)])
def test_as_many_run_at_the_same_time_as_there_are_jobs(make_project, jobs, beside):
    folder = make_project(TWO)
    assert engine(folder, "--jobs", jobs).returncode == 0
    events = [line.split()[0] for line in (folder / "trace").read_text().splitlines()]
    assert (events == ["start", "start", "end", "end"]) == beside
    assert (events == ["start", "end", "start", "end"]) != beside


def test_the_longest_chain_is_first(make_project):
    made = {name: {"cmd": f"echo > {name}", "outs": [name]} for name in ("one", "two", "three")}
    folder = make_project(made | {"after": {"cmd": "cat three > after", "deps": ["three"], "outs": ["after"]}})
    (folder / "logs").mkdir()
    (folder / "logs/seconds.json").write_text('{"one": 1, "two": 5, "three": 1, "after": 6}')
    ended = engine(folder, "--jobs", "1")
    assert re.findall(r"^running (.+)$", ended.stdout, re.MULTILINE) == ["three", "after", "two", "one"]
    assert json.loads((folder / "logs/seconds.json").read_text())["after"] < 5


@pytest.mark.parametrize("given", ["0", "-1", "two", "1.5"])
def test_jobs_that_are_no_number(make_project, check, given):
    folder = make_project(TWO)
    ended = engine(folder, f"--jobs={given}")
    assert ended.returncode == 1
    check(ended.stderr, folder / "logs", f"JOBS is '{given}'")
    assert not (folder / "trace").exists()


@pytest.mark.parametrize(("cores", "threads", "expected"), [(2, 1, 2), (8, 3, 2), (2, 4, 1)])
def test_by_default_as_many_run_as_there_are_cores_for(monkeypatch, cores, threads, expected):
    monkeypatch.setattr(jobs_module, "cores", lambda: cores)
    monkeypatch.setattr(jobs_module, "threads", lambda: threads)
    assert jobs_module.number_of_jobs("") == expected


def test_a_corpus_says_how_many_threads_it_takes(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    of_corpora = {"sample": {"threads": 3}, "sst2": {}}
    monkeypatch.setattr(jobs_module.params, "read", lambda *_: {"run": {"corpora": list(of_corpora)}})
    monkeypatch.setattr(jobs_module.params, "corpus", of_corpora.get)
    assert jobs_module.threads() == 3


FAILING = {
    "slow": {"cmd": "sleep 0.6; echo > slow", "outs": ["slow"]},
    "bad": {"cmd": "echo what went wrong; exit 3", "outs": ["bad"]},
    "after": {"cmd": "echo > after", "deps": ["bad"], "outs": ["after"]},
    "apart": {"cmd": "echo > apart", "deps": ["slow"], "outs": ["apart"]},
}


@pytest.mark.parametrize(("options", "expected"), [((), ["slow"]), (("--keep-going",), ["slow", "apart"])])
def test_a_stage_that_fails(make_project, options, expected):
    folder = make_project(FAILING)
    ended = engine(folder, "--jobs", "2", *options)
    assert ended.returncode == 1
    assert "logs/bad.log is:\nwhat went wrong\n" in ended.stdout
    assert (folder / "logs/bad.log").read_text() == "what went wrong\n"
    said = "error: failed to reproduce 'bad': exit status 3; its output is in logs/bad.log\n"
    assert ended.stderr == said
    assert recorded(folder) == expected
    assert "1 skipped" in ended.stdout


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not what():
        assert time.monotonic() < until
        time.sleep(0.01)


STOPPED = {  # `last` ends before `first`, and the one between them is at work when the run is stopped
    "first": {"cmd": "cat text > first", "deps": ["text", "between"], "outs": ["first"]},
    "between": {"cmd": "cat text > between; test -e done || sleep 60", "deps": ["text"], "outs": ["between"]},
    "last": {"cmd": "cat text > last", "deps": ["text"], "outs": ["last"]},
}


def children_of(folder: Path) -> list[psutil.Process]:
    """The processes that a project's stages started and that are at work still."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
    return found


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_soon_with_what_has_ended_recorded(make_project, which):
    folder = make_project(STOPPED)
    other = Path(shutil.copytree(folder, folder.with_name("serial")))
    with started(folder, "--jobs", "2") as first:
        wait_for(lambda: "last" in (folder / "logs/seconds.json").read_text() if recorded(folder) else is_done(folder))
        asked = time.monotonic()
        first.send_signal(which)
        said = first.communicate(timeout=20)[1]
        assert time.monotonic() - asked < 5
    assert first.returncode == 128 + which
    assert said == "stopped; what is done is recorded, and `make repro` goes on from there\n"
    assert children_of(folder) == []
    assert recorded(folder) == ["last"]
    assert_ends_well(folder, other)


def is_done(folder: Path) -> bool:
    """Whether `last` is in the cache, by which it is done, and `between` is at work."""
    return (folder / "last").exists() and (folder / "between").exists() and (folder / ".dvc/cache/runs").exists()


def assert_ends_well(folder: Path, other: Path) -> None:
    for each in (folder, other):
        (each / "done").touch()
    ended = engine(folder, "--jobs", "2")
    assert ended.returncode == 0, ended.stderr
    run(other, *DVC, "repro")
    assert_same(folder, other, ("first", "between", "last"))


def test_a_killed_run_leaves_no_command_and_the_next_one_goes_on(make_project):
    folder = make_project(STOPPED)
    other = Path(shutil.copytree(folder, folder.with_name("serial")))
    with started(folder, "--jobs", "2") as first:
        wait_for(lambda: is_done(folder))
        first.kill()
        first.communicate(timeout=20)
    wait_for(lambda: children_of(folder) == [])
    assert_ends_well(folder, other)


def test_the_next_run_waits_for_the_commands_of_a_killed_one(make_project):
    stages = {"one": {"cmd": "trap '' TERM; test -e one.again || sleep 1.5; echo > one", "outs": ["one"]}}
    folder = make_project(stages)
    with started(folder) as first:
        wait_for(lambda: (folder / "logs/one.log").exists())
        time.sleep(0.2)  # the shell takes its trap
        first.kill()
    (folder / "one.again").touch()
    assert engine(folder).returncode == 0
    assert children_of(folder) == []
    assert recorded(folder) == ["one"]


def test_two_at_once_do_not_mix_and_other_commands_work_meanwhile(make_project):
    folder = make_project(STOPPED)
    with started(folder, "--jobs", "2") as first:
        wait_for(lambda: is_done(folder))
        assert "last" in run(folder, *DVC, "status", "last")
        assert (
            "is busy"
            in subprocess.run([*DVC, "repro"], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True).stderr
        )
        second = engine(folder)
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=20)
    assert second.returncode == 1
    told = f"another `make repro`, process {first.pid}, is at work here; wait for it to end, or stop it"
    assert second.stderr == f"error: {told}\n"
    assert recorded(folder) == ["last"]


def lock_of_two_halves(folder: Path) -> None:
    assert engine(folder).returncode == 0
    lock = folder / "dvc.lock"
    lock.write_text(lock.read_text().replace("one:\n", "one\n"))


def missing_dep(folder: Path) -> None:
    (folder / "text").unlink()


def cycle(folder: Path) -> None:
    stages = {
        "one": {"cmd": "x", "deps": ["two"], "outs": ["one"]},
        "two": {"cmd": "x", "deps": ["one"], "outs": ["two"]},
    }
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))


def out_in_git(folder: Path) -> None:
    (folder / "one").touch()
    run(folder, "git", "add", "one")


def no_target(folder: Path) -> None:
    content = yaml.safe_load((folder / "dvc.yaml").read_text())
    content["stages"]["one"]["comand"] = content["stages"]["one"].pop("cmd")
    (folder / "dvc.yaml").write_text(yaml.safe_dump(content))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (missing_dep, "failed to reproduce 'one': "),
        (cycle, "both a dependency and an output in stages: "),
        (lock_of_two_halves, "dvc.lock', YAML file structure is corrupted"),
        (out_in_git, "output 'one' is already tracked by SCM"),
        (no_target, "dvc.yaml"),
    ],
)
def test_what_is_wrong_with_a_pipeline_is_one_sentence(make_project, spoil, said):
    folder = make_project({"one": {"cmd": "cat text > one", "deps": ["text"], "outs": ["one"]}})
    spoil(folder)
    ended = engine(folder)
    assert ended.returncode == 1
    refused(ended.stderr, folder / "none", said)


def test_what_a_kill_left_of_dvcs_marks_is_no_obstacle(make_project):
    folder = make_project({"one": {"cmd": "echo > one", "outs": ["one"]}})
    (folder / ".dvc/tmp").mkdir()
    (folder / ".dvc/tmp/rwlock").write_text('{"re')
    assert engine(folder).returncode == 0


def test_a_disk_without_room_is_one_sentence(make_project):
    folder = make_project({"one": {"cmd": "echo > one", "deps": ["text"], "outs": ["one"]}})
    other = serial(folder)
    (folder / ".dvc/cache").symlink_to("/dev/full")
    ended = engine(folder)
    assert ended.returncode == 1
    refused(ended.stderr, folder / "none", "failed to reproduce 'one': ")
    (folder / ".dvc/cache").unlink()
    assert engine(folder).returncode == 0
    assert_same(folder, other, ("one",))


def test_a_narrow_terminal_shows_the_counts_in_place(make_project):
    folder = make_project(TWO)
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    with started(folder, "--jobs", "2", stdin=theirs, stdout=theirs, stderr=theirs) as shown:
        os.close(theirs)
        seen = b""
        while shown.poll() is None:
            time.sleep(0.05)
            try:
                seen += os.read(ours, 65536)
            except OSError:
                continue
    assert shown.returncode == 0
    text = seen.decode()
    assert "0 done, 2 left, about " in text
    assert "\x1b[1A\x1b[2K" in text  # a line up, and clear it
    assert re.search(r"\x1b\[2K2 done, in \d s", text)


def cut_sample(folder: Path) -> None:
    """Few rows of the embedded corpus, for two seeds."""

    def change(params: dict) -> None:
        make_small(params)
        params["run"]["seeds"] = [1, 2]
        files = params["corpora"]["sample"]["source"]["files"]
        for name in files:
            path = folder / "data/sample" / name
            path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:200]), encoding="utf-8")
            files[name] = None

    change_params(folder, change)


def test_the_projects_own_stages_end_in_the_bytes_of_a_serial_run(tmp_path, monkeypatch):
    monkeypatch.setitem(ENVIRONMENT, "PYTHONHASHSEED", "0")  # DVC's order of a few stages of many changes with it
    monkeypatch.setitem(ENVIRONMENT, "OMP_NUM_THREADS", "1")
    folder = tmp_path / "project"
    copy_project(folder)
    cut_sample(folder)
    run(folder, "git", "init", "-q")
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "-qm", "a project")
    other = Path(shutil.copytree(folder, tmp_path / "serial"))
    targets = [f"train_pooled@sample-average-{seed}" for seed in (1, 2)]
    ended = engine(folder, "--jobs", "2", *targets)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    run(other, *DVC, "repro", *targets)
    made = sorted(path.relative_to(folder) for path in (folder / "data").rglob("*") if path.is_file())
    assert {"trained", "words", "ids"} <= {path.parts[1] for path in made}
    assert_same(folder, other, tuple(map(str, made)))
