"""What is said of bad input: one sentence, compared with the one that tests/bad_input.md has for the same test."""

import re
from pathlib import Path

RECORD = Path(__file__).with_name("bad_input.md")
HEAD = [
    "# Bad input, and what is said of it",
    "",
    "Each line is a test that feeds a stage something wrong and compares what it says with the sentence here. The",
    "stage ends with exit status 1 and leaves no out. `pytest --write-bad-input` writes the sentences again.",
    "",
    "| input | error |",
    "|---|---|",
]


def refused(said: str, outs: Path, *fragments: str) -> str:
    """Check that a stage ended in one sentence with some fragments and left no out; the sentence."""
    assert said.startswith("error: ")
    sentence = said.removeprefix("error: ").removesuffix("\n")
    assert "\n" not in sentence
    for fragment in fragments:
        assert fragment in sentence
    assert not outs.exists() or list(outs.iterdir()) == []
    return sentence


def line_of(case: str, sentence: str, folder: Path) -> str:
    """The record's line; the test's own folder and a port, which differ between runs, are left out."""
    sentence = sentence.replace(f"{folder}/", "").replace("|", "\\|")
    sentence = re.sub(r"(?<=127\.0\.0\.1:)\d+", "…", sentence)
    return f"| {case} | {sentence} |"


def record(case: str, line: str) -> None:
    """Write a line, instead of an earlier one of the same case."""
    lines = RECORD.read_text(encoding="utf-8").splitlines() if RECORD.is_file() else HEAD
    others = [other for other in lines[len(HEAD) :] if not other.startswith(f"| {case} |")]
    RECORD.write_text("\n".join([*HEAD, *sorted([*others, line])]) + "\n", encoding="utf-8")
