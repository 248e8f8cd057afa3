"""The harness of `make faults`: it kills, restarts and compares, and what it compares it tells apart."""

import re
import subprocess
import sys

from conftest import REPOSITORY

from tests.faults.outcomes import differences, leftovers, lost, whole_outs

CLEAN = {"data": "", "data/out": "", "data/out/a": "1", "data/out/b": "2"}


def test_a_download_killed_three_times_ends_in_the_bytes_of_a_clean_one():
    command = [sys.executable, "-m", "tests.faults", "--kills", "3", "--rows", "10000", "--stages", "download"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    killed_by = re.findall(r"^download +(SIG\w+) +after", done.stdout, re.MULTILINE)
    assert killed_by == ["SIGKILL", "SIGTERM", "SIGINT"]
    assert done.stdout.endswith("3 kills, every result identical, nothing lost\n")


def test_every_path_that_is_not_as_after_a_clean_run_is_named():
    assert differences(CLEAN, CLEAN) == []
    found = {"data": "", "data/out": "", "data/out/a": "3", "data/.out.tmp": ""}
    assert differences(found, CLEAN) == ["data/out/b is missing", "data/.out.tmp is left over", "data/out/a differs"]


def test_what_only_a_run_in_progress_should_have_is_left_over():
    left = {"data/downloads/x.zip.part": "1", "data/checkpoints/own/rnn/1/k-1.safetensors": "2", "data/.out.tmp": ""}
    folders = {"data/downloads": "", "data/checkpoints/own": ""}
    assert leftovers(CLEAN | folders) == []
    assert len(leftovers(CLEAN | folders | left)) == len(left)


def test_half_an_out_looks_finished_and_no_out_does_not():
    assert whole_outs(CLEAN, CLEAN, ["data/out"]) == (1, [])
    assert whole_outs({"data": ""}, CLEAN, ["data/out"]) == (0, [])
    half = {path: CLEAN[path] for path in ("data", "data/out", "data/out/a")}
    assert whole_outs(half, CLEAN, ["data/out"]) == (0, ["data/out looks finished and is not"])


def test_what_a_run_could_go_on_from_is_lost_unless_a_stage_was_finished():
    before = {"epochs of fit 1": 3, "stages in dvc.lock": 8}
    assert lost(before, {"epochs of fit 1": 4, "stages in dvc.lock": 8}) == []
    assert lost(before, {"stages in dvc.lock": 9}) == []
    assert lost(before, {"stages in dvc.lock": 8}) == ["epochs of fit 1: 3 became 0"]
