"""One at a time: a stage whose DVC was killed may still be at work when the next one starts beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from stages.lib.command import InputError


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock, a file beside what is written, while the block lasts.

    Raises:
        InputError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise InputError(f"{path} is held by another run of this stage; wait for it to end, or stop it") from None
    with lock:
        yield
