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

import pytest
import yaml

from maintenance import engine as engine_module
from stages.common.command import InputError
from tests.bad_input import refused
from tests.commands import ended, run, start
from tests.copies import copy_project, make_small
from tests.faults.processes import at_work

ENGINE = [sys.executable, "-m", "maintenance.engine"]
DVC = [sys.executable, "-m", "dvc"]
STAGES = {  # those that end first are last, and two chains may run beside each other
    "slow": {"cmd": "sleep 0.8\ncat text > slow", "deps": ["text"], "outs": ["slow"]},
    "fast": {"cmd": "cat text > fast", "deps": ["text"], "params": ["number"], "outs": ["fast"]},
    "folder": {"cmd": ["mkdir folder", "cp fast folder/a", "cp fast folder/b"], "deps": ["fast"], "outs": ["folder"]},
    "below": {"wdir": "sub", "cmd": "wc -c ../fast > below", "deps": ["../fast"], "outs": ["below"]},
    "every": {"cmd": "echo 1 > every", "always_changed": True, "outs": ["every"]},
    "cold": {"cmd": "cat text > cold", "deps": ["text"], "outs": ["cold"], "frozen": True},
    "scores": {
        "cmd": "echo '{\"accuracy\": 0.5}' > metrics.json; printf 'x,y\\n1,2\\n' > plot.csv; cat slow folder/a > last",
        "deps": ["slow", "folder", "added"],
        "outs": [{"last": {"cache": False}}],
        "metrics": [{"metrics.json": {"cache": False}}],
        "plots": [{"plot.csv": {"x": "x", "y": "y"}}],
    },
}
OUTS = ("slow", "fast", "folder/a", "folder/b", "sub/below", "every", "cold", "last", "metrics.json", "plot.csv")


@contextmanager
def started(folder: Path, **options: object) -> Iterator[subprocess.Popen]:
    """The engine at work; it does not outlive the block."""
    with start(folder, *ENGINE, "--jobs=2", **options) as process:
        try:
            yield process
        finally:
            process.terminate()


def engine(folder: Path, *arguments: str, jobs: int | str = 2, **variables: str) -> subprocess.CompletedProcess[str]:
    return ended(folder, *ENGINE, f"--jobs={jobs}", *arguments, **variables)


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[[dict], Path]:
    """Stages of shell commands, and the texts that they read."""

    def make(stages: dict) -> Path:
        folder = tmp_path / "project"
        (folder / "sub").mkdir(parents=True)
        (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
        (folder / "params.yaml").write_text("number: 1\n")
        for name in ("text", "added", "cold"):
            (folder / name).write_text(f"{name}\n")
        run(folder, "git", "init", "-q")
        (folder / ".dvc").mkdir()
        (folder / ".dvc/config").write_text("[core]\n    autostage = true\n    analytics = false\n")
        (folder / ".dvc/.gitignore").write_text("/config.local\n/tmp\n/cache\n")
        (folder / ".git/info/exclude").write_text("/logs/\n/cold\n.*.tmp\n")  # the last a DVC that is killed leaves
        return folder

    return make


def recorded(folder: Path) -> list[str]:
    lock = folder / "dvc.lock"
    return list(yaml.safe_load(lock.read_text())["stages"]) if lock.exists() else []


def ran(done: subprocess.CompletedProcess[str]) -> list[str]:
    return re.findall(r"^running (.+)$", done.stdout, re.MULTILINE)


def assert_same(folder: Path, other: Path, outs: tuple[str, ...]) -> None:
    for name in ("dvc.lock", *outs):
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name
    status, expected = (run(each, "git", "status", "--short") for each in (folder, other))
    assert status == expected


def test_lock_and_outs_have_the_bytes_of_a_serial_run_and_what_the_cache_has_does_not_run(make_project):
    folder = make_project(STAGES)
    run(folder, *DVC, "add", "-q", "added")
    run(folder, *DVC, "repro", "-q", "folder")  # whose entries are then in front
    (folder / "text").write_text("other\n")
    run(folder, "git", "add", "--all")
    other = Path(shutil.copytree(folder, folder.with_name("serial")))
    run(other, *DVC, "repro")
    done = engine(folder, jobs=3)
    assert done.returncode == 0, done.stderr
    assert_same(folder, other, OUTS)
    for out in ("slow", "fast", "plot.csv"):
        (folder / out).unlink()
    done = engine(folder, jobs=1)
    assert sorted(ran(done)) == ["every", "scores"]  # `last` is not cached
    assert "2 from the cache" in done.stdout
    assert_same(folder, other, OUTS)


def test_a_target_runs_alone_with_what_it_needs_and_then_is_up_to_date(make_project):
    folder = make_project(STAGES)
    assert ran(engine(folder, "folder")) == ["fast", "folder"]
    before = (folder / "dvc.lock").stat().st_mtime_ns
    assert engine(folder, "folder").stdout == "Data and pipelines are up to date.\n"
    assert (folder / "dvc.lock").stat().st_mtime_ns == before
    assert "up to date" in run(folder, *DVC, "repro", "folder")


TWO = {
    name: {"cmd": f"echo start >> trace; sleep 0.5; echo end >> trace; echo > {name}", "outs": [name]}
    for name in ("one", "two")
}


@pytest.mark.parametrize(("jobs", "expected"), [(2, "start start end end"), (1, "start end start end")])
def test_as_many_run_at_the_same_time_as_there_are_jobs(make_project, jobs, expected):
    folder = make_project(TWO)
    assert engine(folder, jobs=jobs).returncode == 0
    assert (folder / "trace").read_text().split() == expected.split()


def test_the_longest_chain_is_first(make_project):
    made = {name: {"cmd": f"echo > {name}", "outs": [name]} for name in ("one", "study_gates", "three")}
    folder = make_project(made | {"after": {"cmd": "cat three > after", "deps": ["three"], "outs": ["after"]}})
    (folder / "logs").mkdir()
    (folder / "logs/seconds.json").write_text('{"one": 1, "three": 1, "after": 120}')  # study_gates is in the table
    assert ran(engine(folder, jobs=1)) == ["three", "after", "study_gates", "one"]
    assert json.loads((folder / "logs/seconds.json").read_text())["after"] < 60


@pytest.mark.parametrize("given", ["0", "-1", "two", "1.5"])
def test_jobs_that_are_not_a_number(tmp_path, check, given):
    with pytest.raises(InputError) as refusal:
        engine_module.number_of_jobs(given)
    check(f"error: {refusal.value}\n", tmp_path, f"JOBS is '{given}'")


@pytest.mark.parametrize(
    ("cores", "threads", "gpu", "device", "expected"),
    [(2, 1, False, "", 2), (8, 3, False, "", 2), (2, 4, False, "", 1), (8, 1, True, "", 2), (8, 1, True, "cpu", 8)],
)
def test_by_default_as_many_run_as_there_are_cores_for(monkeypatch, cores, threads, gpu, device, expected):
    monkeypatch.setenv("DEVICE", device)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(cores), raising=False)
    monkeypatch.setattr(Path, "exists", lambda path: gpu and str(path) == "/dev/nvidiactl")
    corpora = {"sample": {"threads": threads}, "sst2": {"threads": 1}, "imdb": {"threads": 16}}
    selected = {"corpora": ["sample", "sst2"], "unlabelled_corpora": ["imdb"]}
    monkeypatch.setattr(engine_module.params, "load", lambda: {"corpora": corpora, "run": selected})
    assert engine_module.number_of_jobs("") == expected


FAILING = {
    "slow": {"cmd": "sleep 0.6; echo > slow", "outs": ["slow"]},
    "bad": {"cmd": "echo what went wrong; exit 3\necho > bad", "outs": ["bad"]},
    "after": {"cmd": "echo > after", "deps": ["bad"], "outs": ["after"]},
    "apart": {"cmd": "echo > apart", "deps": ["slow"], "outs": ["apart"]},
}


@pytest.mark.parametrize(("options", "expected"), [([], ["slow"]), (["--keep-going"], ["slow", "apart"])])
def test_a_stage_that_fails(make_project, options, expected):
    folder = make_project(FAILING)
    done = engine(folder, *options)
    assert done.returncode == 1
    assert "logs/bad.log is:\nwhat went wrong\n" in done.stdout
    said = "error: failed to reproduce 'bad': exit status 3; its output is in logs/bad.log\n"
    assert done.stderr == said
    assert recorded(folder) == expected
    assert "1 skipped" in done.stdout


STOPPED = {  # `last` ends before `first`, and the one between them is at work when the run is stopped
    "first": {"cmd": "cat text > first", "deps": ["text", "between"], "outs": ["first"]},
    "between": {"cmd": "cat text > between; test -e done || sleep 600", "deps": ["text"], "outs": ["between"]},
    "last": {"cmd": "cat text > last", "deps": ["text"], "outs": ["last"]},
}


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def last_is_done(folder: Path) -> bool:
    """Whether `last` is in the cache, with its entry among the runs and its out, and `between` is at work."""
    kept = [".dvc/cache/runs/*/*/[0-9a-f]*", ".dvc/cache/files/md5/*/[0-9a-f]*"]  # half written: another name
    return (folder / "between").exists() and all(list(folder.glob(pattern)) for pattern in kept)


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_run_is_gone_on_with_to_the_bytes_of_a_serial_one(make_project, which):
    folder = make_project(STOPPED)
    other = Path(shutil.copytree(folder, folder.with_name("serial")))
    with started(folder) as first:
        wait_for(lambda: last_is_done(folder))
        asked = time.monotonic()
        first.send_signal(which)
        said = first.communicate(timeout=20)[1]
        assert time.monotonic() - asked < 5
    if which == signal.SIGKILL:  # and its command goes on
        for child in at_work(folder):
            child.kill()
    else:
        assert first.returncode == 1
        assert said == "error: stopped; finished stages are recorded, and `make repro` continues from there\n"
        wait_for(lambda: at_work(folder) == [])
        assert recorded(folder) == ["last"]
    for each in (folder, other):
        (each / "done").touch()
    done = engine(folder)
    assert done.returncode == 0, done.stderr
    assert "last" not in ran(done)
    run(other, *DVC, "repro")
    assert_same(folder, other, ("first", "between", "last"))


def test_beside_a_run_another_ends_in_a_sentence_and_metrics_can_be_seen(make_project):
    folder = make_project(STOPPED)
    with started(folder) as first:
        wait_for(lambda: last_is_done(folder))
        run(folder, *DVC, "metrics", "show")
        second = engine(folder)
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=20)
    assert second.returncode == 1
    said = "error: another `make repro` or `dvc` is at work here; wait for it to end, or stop it\n"
    assert second.stderr == said
    assert recorded(folder) == ["last"]


def lock_of_two_halves(folder: Path) -> None:
    (folder / "dvc.lock").write_text("schema: '2.0'\nstages:\n  one:\n    cmd\n")


def missing_dep(folder: Path) -> None:
    (folder / "text").unlink()


def cycle(folder: Path) -> None:
    stages = {"one": {"cmd": "x", "deps": ["two"], "outs": ["one"]}, "two": {"cmd": "x", "deps": ["one"]}}
    stages["two"]["outs"] = ["two"]
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))


def out_in_git(folder: Path) -> None:
    (folder / "one").touch()
    run(folder, "git", "add", "one")


def full_disk(folder: Path) -> None:
    (folder / ".dvc/cache").symlink_to("/dev/full")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (missing_dep, "failed to reproduce 'one': [Errno 2] No such file or directory: "),
        (cycle, "both a dependency and an output in stages: "),
        (lock_of_two_halves, "dvc.lock' validation failed"),
        (out_in_git, "output 'one' is already tracked by SCM"),
        (full_disk, "failed to reproduce 'one': "),
    ],
)
def test_what_dvc_finds_wrong_is_one_sentence(make_project, spoil, said):
    folder = make_project({"one": {"cmd": "cat text > one", "deps": ["text"], "outs": ["one"]}})
    spoil(folder)
    done = engine(folder)
    assert done.returncode == 1
    refused(done.stderr, folder / "none", said)


def test_a_narrow_terminal_shows_the_counts_in_place(make_project):
    folder = make_project(TWO)
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    with started(folder, stdin=theirs, stdout=theirs, stderr=theirs) as shown:
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
    assert re.search(r"\x1b\[2K2 done, in \d+ s", text)


def test_the_projects_own_stages_end_in_the_bytes_of_a_serial_run_on_other_threads(tmp_path):
    same_order = {"PYTHONHASHSEED": "0"}  # DVC's of a few stages of many changes with it
    folder = tmp_path / "project"
    copy_project(folder)
    make_small(folder)
    run(folder, "git", "init", "-q")
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "-qm", "a project")
    other = Path(shutil.copytree(folder, tmp_path / "serial"))
    targets = ["train_ngrams@sample-tfidf", "train_pooled@sample-average-1"]
    done = engine(folder, *targets, OMP_NUM_THREADS="1", **same_order)
    assert done.returncode == 0, done.stdout + done.stderr
    run(other, *DVC, "repro", *targets, OMP_NUM_THREADS="4", **same_order)
    made = sorted(path.relative_to(folder) for path in (folder / "data").rglob("*") if path.is_file())
    assert {"trained", "words", "ids"} <= {path.parts[1] for path in made}
    assert_same(folder, other, tuple(map(str, made)))
