"""Write docs/notebooks.md: what each part of the notebooks asks and says, and what was measured. `make docs`."""

import json
from html import escape
from pathlib import Path

import yaml

from stages.common import command
from stages.common.files import new_file

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/notebooks.md"
HEAD = """\
# What the notebooks ask

This project's questions come from two course notebooks. K classifies SST-2, N classifies IMDB. Their parts have codes:
K3.1 is the first task of notebook K's third part. For each part, this page has the question, what the notebook says,
our answer, and the file and keys with our figures. *Holds* means that our figures are the notebook's, or as close as
the claim allows. N4.3, batches of reviews of similar length, reports nothing.

`make docs` writes this page from `maintenance/notebook_parts.yaml`, `stages/studies/claims.yaml` and
`results/claims.json`.
"""
TITLES = {
    "K": "K: text classification on SST-2 (a university assignment, spring 2021)",
    "N": "N: IMDB with BERT and a GRU (a university homework, autumn 2022)",
}


def figures(values: list[float]) -> str:
    return "; ".join(f"{value:,.0f}" if value == int(value) else f"{value:.6g}" for value in values)


def places(addresses: list[str]) -> str:
    """Links to the files with the figures, each with its keys."""
    keys: dict[str, list[str]] = {}
    for address in addresses:
        file, _, key = address.partition(".json/")
        keys.setdefault(f"results/{file}.json", []).append(f"`{key}`")
    return "; ".join(f"[`{file}`](../{file}) {', '.join(found)}" for file, found in keys.items())


def section(part: str, question: str, claim: dict, found: dict) -> str:
    """claim: from claims.yaml; found: the same claim in claims.json."""
    measured = f"{figures(found['measured'])} ({found['measured_on']}); " if found["measured"] else ""
    answer = f"{measured}{found['verdict']}. {found['note']}".rstrip()
    lines = [f"- **Question:** {question}", f"- **Notebook:** {escape(found['claim'], quote=False)}"]
    lines.append(f"- **Here:** {escape(answer, quote=False)}")
    if claim.get("measured"):
        lines.append(f"- **In:** {places(claim['measured'])}")
    return "\n".join([f"### {part}", "", *lines, ""])


def page() -> str:
    parts = yaml.safe_load((ROOT / "maintenance/notebook_parts.yaml").read_text(encoding="utf-8"))
    claims = yaml.safe_load((ROOT / "stages/studies/claims.yaml").read_text(encoding="utf-8"))
    found = json.loads((ROOT / "results/claims.json").read_text(encoding="utf-8"))["claims"]
    claims, found = ({each["id"]: each for each in them} for them in (claims, found))
    written = [HEAD]
    for notebook, questions in parts.items():
        written.append(f"## {TITLES[notebook]}\n")
        written += [section(part, question, claims[part], found[part]) for part, question in questions.items()]
    return "\n".join(written)


def main() -> None:
    with new_file(PAGE) as temporary:
        temporary.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    command.run(main)
