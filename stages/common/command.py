"""What every stage's script does the same way: read arguments, and end in one sentence on bad input."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType


class InputError(Exception):
    """What a person gave is wrong; the message is one sentence: where, what was expected, what to do."""


def arguments(
    description: str | None, optional: Mapping[str, Callable] = MappingProxyType({}), **required: Callable
) -> argparse.Namespace:
    """Options of the command line: `out=Path` is `--out`, read by `Path`; an optional one not given is None."""
    parser = argparse.ArgumentParser(description=description)
    for name, kind in {**required, **optional}.items():
        parser.add_argument(f"--{name}", type=kind, required=name in required)
    return parser.parse_args()


def run(main: Callable[[], None]) -> None:
    """Call `main`; bad input, a full disk or memory or a missing file become one line on stderr and exit status 1."""
    try:
        main()
        sys.stdout.flush()  # or a reader gone, or a full disk, shows only as the interpreter ends
    except InputError as error:
        sys.exit(f"error: {error}")
    except BrokenPipeError:  # who read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except MemoryError:
        sys.exit("error: this machine's memory is too small for that; give it more, or smaller data")
    except OSError as error:
        name = error.filename2 or error.filename  # of two, a copy's target
        place = f"{name}: " if name else ""
        sys.exit(f"error: {place}{error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit(130)
