"""Locks: a stage whose DVC was killed may still run when the next one starts."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from stages.common.command import InputError


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[None]:
    """Let one process at a time, of any user of this machine, enter this block for a path.

    The lock is a file next to the path, which everyone who may write the path can open; DVC and git ignore it, and the
    end of the block removes it. A process that opened the file just before that tries again with a new one.

    Raises:
        Timeout: another process is in the block, and `wait` is false.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.with_name(f".{path.name}.lock")
    lock = FileLock(file, mode=0o666)
    lock.acquire(blocking=wait)
    try:
        yield
    finally:
        with suppress(OSError):  # another user's file, in a folder where only its owner may remove it
            file.unlink()
        lock.release()


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Let only this process of the machine write a path during the block.

    An error of the system in the block gets the path's name if it names no file, as for a full disk or from pyarrow.

    Raises:
        InputError: another process writes the path.
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
