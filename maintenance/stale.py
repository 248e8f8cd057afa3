"""Name the committed results that are older than the pipeline, its code or its parameters: `make stale`.

`dvc status` answers for what run.yaml names, and needs the data. This asks DVC about every file in runs/, but only
about code and parameters.
"""

from pathlib import Path

import yaml
from dvc.dependency import ParamsDependency
from dvc.repo import Repo
from dvc.stage import PipelineStage

from maintenance.run_projects import project_of, runs
from maintenance.version_control import tell_dvc
from stages.common import command
from stages.common.command import InputError

ROOT = Path(__file__).parent.parent


def stale_stages(root: Path = ROOT) -> dict[str, list[str]]:
    """The stages of dvc.lock that would run again, each with the code and parameters that have changed."""
    found: dict[str, list[list[str]]] = {}
    for run in runs(root):
        with project_of(run, root) as folder, Repo(folder) as repo:
            for stage in repo.index.stages:
                found.setdefault(stage.name, []).append(differences(stage))
    locked = yaml.safe_load((root / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    # A stage of several runs is not stale if it is up to date in one of them.
    reasons = {name: min(found.get(name, [["in no run"]]), key=len) for name in locked}
    return {name: each for name, each in reasons.items() if each}


def differences(stage: PipelineStage) -> list[str]:
    """A stage's code, parameters and command that differ from its entry in the lock."""
    changed = ["cmd"] if stage.cmd_changed else []
    for dep in stage.deps:
        if isinstance(dep, ParamsDependency):
            found = dep.workspace_status().items()
            changed += [key for file, keys in found for key in (keys if isinstance(keys, dict) else [file])]
        elif dep.def_path.startswith("stages/") and dep.workspace_status():
            changed.append(dep.def_path)
    return sorted(changed)


def main() -> None:
    tell_dvc(ROOT)
    stale = stale_stages()
    for name, reasons in stale.items():
        print(f"{name}: {', '.join(reasons)}")
    if stale:
        raise InputError(
            f"{len(stale)} stages of dvc.lock are older than what they were made of; `make repro RUN=…` reruns them"
        )


if __name__ == "__main__":
    command.run(main)
