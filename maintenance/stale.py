"""Which committed results are older than the pipeline, its code or its parameters; `make stale` prints them.

`dvc status` says it of the corpora that `run` selects; this reads dvc.lock, where the others stand too.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
CHOSEN_FOR_ONE_RUN = ("corpora", "glove_dimensions")  # of `run`, as `make repro CORPORA=… GLOVE=…` does


def stale_stages(root: Path = ROOT) -> dict[str, list[str]]:
    """The stages of dvc.lock that would run again, each with the code and the parameters that have changed."""
    pipeline, lock = (yaml.safe_load((root / file).read_text(encoding="utf-8")) for file in ("dvc.yaml", "dvc.lock"))
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    stale = {}
    for name, entry in lock["stages"].items():
        group, _, values = name.partition("@")
        if group not in pipeline["stages"]:
            stale[name] = ["no stage any more"]
        elif reasons := differences(root, pipeline["stages"][group], values, entry, params):
            stale[name] = reasons
    return stale


def differences(root: Path, stage: dict, values: str, entry: dict, params: dict) -> list[str]:
    """What of a stage, at the values of its matrix, is other than its entry in the lock says."""
    items = dict(zip(stage.get("matrix", {}), values.split("-") if values else [], strict=True))
    corpora = [params["corpora"].get(items["corpus"], {})] if "corpus" in items else params["corpora"].values()
    # `make repro CORPORA=…` chooses a corpus's own `run`, `run.corpora` leaves the run as it is
    runs = [params["run"], *(params["run"] | corpus["run"] for corpus in corpora if "run" in corpus)]
    of_runs = [differences_of_run(root, stage, items, entry, params | {"run": run}) for run in runs]
    return min(of_runs, key=len)


def differences_of_run(root: Path, stage: dict, items: dict[str, str], entry: dict, params: dict) -> list[str]:
    def resolved(text: str) -> str:
        text = text.replace("${run.encoders[0]}", params["run"]["encoders"][0])
        return re.sub(r"\$\{item\.(\w+)\}", lambda item: items[item[1]], text)

    deps = {resolved(dep) for dep in stage["deps"]}
    locked = {dep["path"]: dep["md5"] for dep in entry["deps"]}
    changed = {path for path in locked if path.startswith("stages/") and md5(root / path) != locked[path]}
    keys = {resolved(key) for key in stage.get("params", [])}
    then = entry.get("params", {}).get("params.yaml", {})
    for key in keys & set(then):
        if lasting(key, then[key]) != lasting(key, value_of(params, key)):
            changed.add(key)
    if resolved(stage["cmd"]) != entry["cmd"]:
        changed.add("cmd")
    return sorted(deps ^ set(locked) | keys ^ set(then) | changed)


def value_of(params: dict, key: str) -> object:
    for part in key.split("."):
        params = params.get(part) if isinstance(params, dict) else None
    return params


def lasting(key: str, value: object) -> object:
    """A parameter's value without what is chosen for one run."""
    if key in [f"run.{name}" for name in CHOSEN_FOR_ONE_RUN]:
        return None
    return {name: each for name, each in value.items() if name not in CHOSEN_FOR_ONE_RUN} if key == "run" else value


def md5(path: Path) -> str | None:
    """As DVC has it: of a folder, that of the list of its files, here its modules (.dvcignore)."""
    if path.is_dir():
        files = sorted(path.rglob("*.py"))
        entries = [{"md5": md5(file), "relpath": file.relative_to(path).as_posix()} for file in files]
        return hashlib.md5(json.dumps(entries).encode()).hexdigest() + ".dir"
    return hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else None


def main() -> None:
    stale = stale_stages()
    for name, reasons in stale.items():
        print(f"{name}: {', '.join(reasons)}")
    if stale:
        sys.exit(
            f"{len(stale)} stages of dvc.lock are older than what they were made of; `make repro CORPORA=…` reruns them"
        )


if __name__ == "__main__":
    main()
