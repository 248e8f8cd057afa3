"""What may be meant by a name that does not exist."""

from difflib import get_close_matches


def suggestion(name: object, known: list[str]) -> str:
    close = get_close_matches(str(name), known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"
