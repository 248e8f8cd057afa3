"""A copy of the pipeline's files for each file in runs/, for DVC to look at."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvc.repo import Repo

from stages.common import params

FILES = ("dvc.yaml", "dvc.lock", "params.yaml", ".dvcignore")
FOLDERS = ("corpora", "stages")


@contextmanager
def project_of(run: Path, root: Path) -> Iterator[Path]:
    """A folder with the pipeline's files, but no data, where `run` is chosen and DVC's cache is the project's.

    Raises:
        InputError: `run` is not a valid run.yaml.
    """
    params.read(run, "run_file")
    with Repo(root) as repo, tempfile.TemporaryDirectory(dir=repo.tmp_dir) as name:
        folder = Path(name)
        for file in FILES:
            if (root / file).is_file():
                shutil.copyfile(root / file, folder / file)
        for each in FOLDERS:
            shutil.copytree(root / each, folder / each, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copyfile(run, folder / "run.yaml")
        (folder / ".dvc").mkdir()
        (folder / ".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n", encoding="utf-8")
        cache = Path(repo.cache.local_cache_dir)
        cache.mkdir(parents=True, exist_ok=True)  # not there yet in a fresh clone
        (folder / ".dvc/cache").symlink_to(cache)
        yield folder


def runs(root: Path) -> list[Path]:
    return sorted((root / "runs").glob("*.yaml"))
