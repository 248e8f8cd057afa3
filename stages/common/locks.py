"""One at a time: a stage whose DVC was killed may still be at work when the next one starts beside it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from stages.common.command import InputError


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[None]:
    """Be the only one who enters this for a path, on this machine and whoever runs it.

    The lock is a file beside the path, where all who may write the path find it and may open it; DVC and git ignore
    it, and it is gone when the block ends. Who has opened it just before asks again, as it has no name any more.

    Raises:
        Timeout: another is in it, and this one is not to wait.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.with_name(f".{path.name}.lock")
    lock = FileLock(file, mode=0o666)
    lock.acquire(blocking=wait)
    try:
        yield
    finally:
        with suppress(OSError):  # another's, in a folder where only its owner may remove a file
            file.unlink()
        lock.release()


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Be the only one on this machine who writes a path while the block lasts.

    What the system refuses in the block names the path, where it names no file: a full disk does not, nor does pyarrow.

    Raises:
        InputError: another process is at it.
    """
    try:
        with locked(path, wait=False):
            try:
                yield
            except OSError as error:
                if error.errno and not error.filename:
                    error.filename = str(path)
                raise
    except Timeout:
        raise InputError(f"another run of this stage writes {path}; wait for it to end, or stop it") from None
