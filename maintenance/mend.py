"""Mend the two files that DVC writes in place, so that a kill just then does not stop the next `dvc repro`.

dvc.lock is taken from git's index, where it is as it was last staged or committed: what had run since comes out of
DVC's cache. The list of who reads and writes which out is dropped.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from dvc.utils.serialize import YAMLFileCorruptedError, parse_yaml
from voluptuous import Invalid

from stages.common.files import new_file

LOCK, AT_WORK = Path("dvc.lock"), Path(".dvc/tmp/rwlock")
PAUSE = 1.0  # seconds, far more than a living DVC takes to write a file


def lock_is_whole() -> bool:
    """Whether DVC can read its lock, and it does not end in the middle of a line; between entries it may."""
    try:
        text = LOCK.read_text(encoding="utf-8")
        COMPILED_LOCKFILE_SCHEMA(parse_yaml(text, str(LOCK)))
    except (UnicodeDecodeError, YAMLFileCorruptedError, Invalid):
        return False
    return text.endswith("\n")


def at_work_is_whole() -> bool:
    try:
        json.loads(AT_WORK.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return True


def stays_damaged(path: Path, is_whole: Callable[[], bool]) -> bool:
    if not path.exists() or is_whole():
        return False
    time.sleep(PAUSE)
    return path.exists() and not is_whole()


def main() -> None:
    if stays_damaged(AT_WORK, at_work_is_whole):
        AT_WORK.unlink()
    if not stays_damaged(LOCK, lock_is_whole):
        return
    if "\n<<<<<<< " in LOCK.read_text(encoding="utf-8", errors="replace"):
        sys.exit("error: dvc.lock holds a merge's conflicts; call `make resolve`")
    staged = subprocess.run(["git", "show", f":./{LOCK}"], capture_output=True)
    if staged.returncode == 0:
        with new_file(LOCK) as temporary:
            temporary.write_bytes(staged.stdout)
    else:
        LOCK.unlink()
    state = "is as git knows it again" if staged.returncode == 0 else "is removed"
    print(f"{LOCK} was damaged, as by a kill while DVC wrote it, and {state}; what had run comes out of DVC's cache")


if __name__ == "__main__":
    main()
