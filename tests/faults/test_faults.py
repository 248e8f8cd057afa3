"""`make faults` itself: it kills, restarts and compares, and its comparisons notice differences."""

import re
import signal
import sys
from pathlib import Path

import pytest
import yaml

from tests.faults.__main__ import main, try_step
from tests.faults.host import Host
from tests.faults.outcomes import differences, leftovers, lost, whole_outs
from tests.faults.project import REPRO, archive, write_project

CLEAN = {"data": "", "data/out": "", "data/out/a": "1", "data/out/b": "2"}


def test_a_killed_download_ends_in_the_bytes_of_a_clean_one(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["faults", "--kills", "1", "--rows", "5000", "--stages", "download"])
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr().out
    assert end.value.code == 0, said
    assert re.findall(r"^download +(SIG\w+) +after", said, re.MULTILINE) == ["SIGKILL"]
    assert said.endswith("1 kills, every result identical, nothing lost\n")


@pytest.fixture
def short_project(tmp_path: Path) -> tuple[Path, Host]:
    """A project with the cheapest stages only, and `claims`, although no corpus is measured there."""
    host = Host(archive(2000), seed=1)
    folder = tmp_path / "project"
    write_project(folder, host.address)
    described = yaml.safe_load((folder / "dvc.yaml").read_text(encoding="utf-8"))
    described["stages"] = {name: described["stages"][name] for name in ("check_params", "download", "claims")}
    (folder / "dvc.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
    (folder / "results").mkdir()
    for study in ("gates", "identities"):
        (folder / f"results/{study}.json").write_text("{}", encoding="utf-8")
    return folder, host


def test_a_killed_make_repro_and_truncated_records_end_in_the_bytes_of_a_clean_one(short_project, capsys):
    faults = try_step(REPRO, *short_project, 1, 1, iter([signal.SIGKILL] * 2))
    said = capsys.readouterr().out
    assert faults == []
    assert re.findall(r"^dvc-repro +(SIG\w+) +after", said, re.MULTILINE) == ["SIGKILL"]
    assert re.findall(r"^  (\S+) was damaged and is removed$", said, re.MULTILINE) == ["dvc.lock", ".dvc/tmp/rwlock"]
    assert "not measured" in (short_project[0] / "results/claims.json").read_text(encoding="utf-8")


def test_every_path_that_is_not_as_after_a_clean_run_is_named():
    assert differences(CLEAN, CLEAN) == []
    found = {"data": "", "data/out": "", "data/out/a": "3", "data/.out.tmp": ""}
    assert differences(found, CLEAN) == ["data/out/b is missing", "data/.out.tmp is left over", "data/out/a differs"]


def test_what_only_a_running_step_should_have_is_left_over():
    left = {"data/downloads/x.zip.part": "1", "data/checkpoints/own/rnn/1/k-1.safetensors": "2", "data/.out.tmp": ""}
    folders = {"data/downloads": "", "data/checkpoints/own": ""}
    assert leftovers(CLEAN | folders) == []
    assert len(leftovers(CLEAN | folders | left)) == len(left)


def test_half_an_out_looks_finished_and_no_out_does_not():
    assert whole_outs(CLEAN, CLEAN, ["data/out"]) == (1, [])
    assert whole_outs({"data": ""}, CLEAN, ["data/out"]) == (0, [])
    half = {path: CLEAN[path] for path in ("data", "data/out", "data/out/a")}
    assert whole_outs(half, CLEAN, ["data/out"]) == (0, ["data/out looks finished and is not"])


def test_what_a_run_could_continue_from_is_lost_unless_a_stage_has_finished():
    before = {"epochs of fit 1": 3, "stages in dvc.lock": 8}
    assert lost(before, {"epochs of fit 1": 4, "stages in dvc.lock": 8}) == []
    assert lost(before, {"stages in dvc.lock": 9}) == []
    assert lost(before, {"stages in dvc.lock": 3}) == []  # killed while DVC wrote it
    assert lost(before, {"stages in dvc.lock": 8}) == ["epochs of fit 1: 3 became 0"]
