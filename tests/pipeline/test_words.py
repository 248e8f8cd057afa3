"""The words that docs/contributing.md says to avoid are in no file, and neither are the notebooks' codes."""

import re
import subprocess

import pytest
import yaml

from tests.projects import REPOSITORY

TABLE = REPOSITORY / "docs/contributing.md"
PAGE = REPOSITORY / "docs/notebooks.md"
CLAIMS = REPOSITORY / "stages/studies/claims.yaml"
CODE = re.compile(r"\b[KN][1-5](?:\.\d)?\b")  # of a part of a notebook
WITH_CODES = (  # where the notebooks are answered part by part, and the tests of that
    "docs/contributing.md",
    "docs/notebooks.md",
    "maintenance/notebook_parts",
    "stages/studies/claims.yaml",
    "tests/pipeline/test_words.py",
    "tests/studies/test_claims.py",
)
WRITTEN_BY_OTHERS = (".lock", ".json", ".csv", ".parquet", ".png", ".tsv")  # data and what programs write


def table() -> list[tuple[list[str], list[str]]]:
    """For each row of the table, the words to avoid and the phrases in which they are allowed."""
    rows = re.findall(r"^\| (.*) \|.*\|(.*)\|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE)[1:]
    return [
        (words.split(", "), [phrase for phrase in allowed.strip().split(", ") if phrase]) for words, allowed in rows
    ]


def avoided(text: str) -> list[str]:
    """The words of the table in a text, also across line breaks and in names."""
    text = re.sub(r"\s+(?:#\s+)?|_", " ", text)
    found = []
    for words, allowed in table():
        for phrase in allowed:
            text = re.sub(rf"\b{phrase}\b", "", text, flags=re.IGNORECASE)
        found += re.findall(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", text, re.IGNORECASE)
    return found


def files() -> dict[str, str]:
    """The texts of all files in git but data and results, by their paths."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.splitlines()
    return {
        name: (REPOSITORY / name).read_text(encoding="utf-8")
        for name in sorted(set(listed))
        if not name.endswith(WRITTEN_BY_OTHERS) and not name.startswith("results/") and (REPOSITORY / name).is_file()
    }


def test_the_table_has_the_words():
    words = {word for row in table() for word in row[0]}
    assert {"rung", "stands", "is no", "mend", "anew", "in place of", "schedule"} <= words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A Rung of the ladder", ["Rung"]),
        ("    # it is\n    # no number", ["is no"]),
        ("def test_the_mean_stands_alone", ["stands"]),
        ("it understands that there is no standard, and is no longer new", []),
    ],
)
def test_a_word_to_avoid_is_found_and_nothing_else(text, found):
    assert avoided(text) == found


def test_no_file_has_a_word_to_avoid():
    texts = files()
    texts["docs/contributing.md"] = re.sub(r"^\|.*", "", texts["docs/contributing.md"], flags=re.MULTILINE)
    found = {name: words for name, text in texts.items() if (words := avoided(text))}
    del found["tests/pipeline/test_words.py"]
    assert found == {}


def test_only_the_claims_have_codes_of_the_notebooks():
    found = {name: codes for name, text in files().items() if (codes := CODE.findall(text))}
    assert {name: codes for name, codes in found.items() if not name.startswith(WITH_CODES)} == {}


def test_every_code_of_a_notebook_is_explained():
    text = PAGE.read_text(encoding="utf-8")
    claims = [claim["id"] for claim in yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))]
    assert re.findall(r"^### (.*)$", text, re.MULTILINE) == claims
    assert set(CODE.findall(text)) <= {*claims, "N4.3"}  # of which the page's head says that it reports nothing
