"""What every stage's script does the same way: read arguments, and end in one sentence on bad input."""

import argparse
import sys
from collections.abc import Callable


class InputError(Exception):
    """What a person gave is wrong; the message is one sentence: where, what was expected, what to do."""


def arguments(description: str | None, **kinds: Callable) -> argparse.Namespace:
    """Options of the command line, all required: `out=Path` is `--out`, read by `Path`."""
    parser = argparse.ArgumentParser(description=description)
    for name, kind in kinds.items():
        parser.add_argument(f"--{name}", type=kind, required=True)
    return parser.parse_args()


def run(main: Callable[[], None]) -> None:
    """Call `main`; bad input, a full disk or a missing file become one line on stderr and exit status 1."""
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        name = error.filename2 or error.filename  # of two, a copy's target
        place = f"{name}: " if name else ""
        sys.exit(f"error: {place}{error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit(130)
