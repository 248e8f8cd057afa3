"""What is in a project's folder: its bytes after a run, and after a kill, what the next run continues from."""

import json
from pathlib import Path

from safetensors import safe_open

from stages.common import files
from stages.encoder.feature_file import SHARD
from tests.faults.project import ENCODER

KEY = 64 + 1  # characters of a resume key, before the rest of a file's name
STAGES = "stages in dvc.lock"
SHARD_BYTES = SHARD * 2 * ENCODER["hidden_size"]


def contents(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file under a folder by path, "" for folders; without DVC's own files and logs."""
    own = (folder / ".dvc", folder / "logs")
    paths = [path for path in folder.rglob("*") if not any(path.is_relative_to(other) for other in own)]
    return {path.relative_to(folder).as_posix(): files.sha256(path) if path.is_file() else "" for path in paths}


def differences(found: dict[str, str], expected: dict[str, str]) -> list[str]:
    """A fault for every path that differs from what a clean run leaves."""
    missing = [f"{path} is missing" for path in sorted(expected.keys() - found.keys())]
    left = [f"{path} is left over" for path in sorted(found.keys() - expected.keys())]
    return (
        missing + left + [f"{path} differs" for path in sorted(found) if found[path] != expected.get(path, found[path])]
    )


def leftovers(found: dict[str, str]) -> list[str]:
    """A fault for every file that should exist only while a step runs."""
    unfinished = ("data/checkpoints/", "data/downloads/")
    left = [path for path in found if found[path] and path.startswith(unfinished)]
    return [f"{path} is left over" for path in sorted(left) + [path for path in found if path.endswith(".tmp")]]


def whole_outs(found: dict[str, str], expected: dict[str, str], outs: list[str]) -> tuple[int, list[str]]:
    """How many outs are as a clean run writes them, and a fault for every out that is there but different."""
    whole, faults = 0, []
    for out in outs:
        there, clean = (
            {path: digest for path, digest in of.items() if path == out or path.startswith(f"{out}/")}
            for of in (found, expected)
        )
        whole += there == clean
        if there and there != clean:
            faults.append(f"{out} looks finished and is not")
    return whole, faults


def kept(folder: Path) -> dict[str, int]:
    """What the next run can continue from: numbers of epochs, shards, bytes or stages."""
    found = {}
    for path in sorted(folder.glob("data/checkpoints/**/[!.]*")):
        if path.suffix == ".safetensors":
            with safe_open(path, framework="numpy") as file:
                found[f"epochs of fit {path.stem[KEY:]}"] = json.loads(file.metadata()["progress"])["epoch"]
        elif path.is_file():
            found[f"shards of {path.stem[KEY:]}"] = path.stat().st_size // SHARD_BYTES
    for path in folder.glob("data/downloads/*/*"):
        name = f"bytes of {path.name.removesuffix('.part')}"
        found[name] = max(found.get(name, 0), path.stat().st_size)
    if (folder / "dvc.lock").exists():
        found[STAGES] = (folder / "dvc.lock").read_text(encoding="utf-8").count("    cmd: ")
    return {name: number for name, number in found.items() if number}


def lost(before: dict[str, int], after: dict[str, int]) -> list[str]:
    """A fault for every number that has become smaller, unless a stage has finished or dvc.lock was damaged."""
    if after.get(STAGES, 0) != before.get(STAGES, 0):
        return []
    numbers = {name: (number, after.get(name, 0)) for name, number in before.items()}
    return [f"{name}: {old:,} became {new:,}" for name, (old, new) in numbers.items() if new < old]
