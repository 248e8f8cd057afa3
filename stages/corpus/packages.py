"""Files that come with an installed package."""

import importlib.util
from pathlib import Path

from stages.common.command import InputError


def package_folder(package: str, folder: str) -> Path:
    """Where a folder of a package lies; the package's code is not run.

    Raises:
        InputError: the package is not installed.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:  # None: a folder that only has the package's name
        raise InputError(f"the package {package} is not installed; run `pip install -r requirements.txt`")
    return Path(found.origin).parent / folder
