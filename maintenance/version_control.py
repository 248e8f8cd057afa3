"""DVC without git: in the unpacked ZIP of a repository, DVC must be told that there is no git."""

from pathlib import Path

from dvc.config import Config
from dvc.scm import SCM, SCMError


def tell_dvc(root: Path) -> None:
    """Set core.no_scm in .dvc/config.local if git is missing, and unset it if not: DVC fails on a wrong value."""
    config = Config(root.resolve() / ".dvc")
    try:
        SCM(str(root.resolve()))
        missing = False
    except SCMError:
        missing = True
    if missing != bool(config["core"].get("no_scm")):
        with config.edit("local") as local:
            local["core"]["no_scm"] = missing
        print("DVC works without git here" if missing else "DVC works with git again", flush=True)
