"""One at a time: a stage whose DVC was killed may still be at work when the next one starts beside it."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from stages.common.command import InputError


def lock_of(path: Path) -> FileLock:
    """What one process of this machine at a time can enter, and others wait for.

    It is a file in the system's folder for temporary files: DVC would take one beside an out for a part of it.
    """
    name = hashlib.sha256(str(path.absolute()).encode()).hexdigest()
    return FileLock(Path(tempfile.gettempdir()) / f"{name}.lock")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Be the only one on this machine who writes a path while the block lasts.

    What the system refuses in the block names the path, where it names no file: a full disk does not, nor does pyarrow.

    Raises:
        InputError: another process is at it.
    """
    lock = lock_of(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise InputError(f"another run of this stage writes {path}; wait for it to end, or stop it") from None
    with lock:
        try:
            yield
        except OSError as error:
            if error.errno and not error.filename:
                error.filename = str(path)
            raise
