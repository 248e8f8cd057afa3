"""`dvc gc` that keeps what any file in runs/ needs: `make gc`. Plain `dvc gc -w` keeps only what run.yaml names."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import yaml
from dvc.repo import Repo

from maintenance.run_projects import project_of, runs
from maintenance.version_control import tell_dvc
from stages.common import command


def keep_cached_outs(lock: Path, root: Path) -> list[str]:
    """Remove outs from a lock that are not in the cache, which DVC would refuse; returns the stages that keep some."""
    content = yaml.safe_load(lock.read_text(encoding="utf-8"))
    with Repo(root) as repo:
        for entry in content["stages"].values():
            entry["outs"] = [out for out in entry.get("outs", []) if repo.cache.local.exists(out["md5"])]
    lock.write_text(yaml.safe_dump(content), encoding="utf-8")
    return [name for name, entry in content["stages"].items() if entry["outs"]]


def main() -> None:
    root = Path()
    tell_dvc(root)
    with ExitStack() as stack:
        kept = []
        for run in runs(root):
            folder = stack.enter_context(project_of(run, root))
            corpora = yaml.safe_load(run.read_text(encoding="utf-8"))["run"]["corpora"]
            cached = keep_cached_outs(folder / "dvc.lock", root)
            if any(name.partition("@")[2].split("-")[0] in corpora for name in cached):
                kept.append(str(folder))
        command = ["gc", "--workspace", *sys.argv[1:], *(["--projects", *kept] if kept else [])]
        sys.exit(subprocess.run([sys.executable, "-m", "dvc", *command]).returncode)


if __name__ == "__main__":
    command.run(main)
