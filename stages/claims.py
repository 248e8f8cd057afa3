"""Claims: every checkable figure of the two notebooks, with the figure in the committed results."""

import re
from pathlib import Path

import yaml

from stages.common import command, files
from stages.common.files import read_json

CLAIMS = Path(__file__).parent / "studies/claims.yaml"


def value_at(results: Path, address: str) -> float | None:
    """The value at `<file>.json/<key>/<key>…`; None where it was not measured on `test`."""
    file, keys = address.split(".json/")
    found = read_json(results / f"{file}.json")
    if found.get("split", "test") != "test":  # where evaluate.splits excludes test
        return None
    try:
        for key in keys.split("/"):
            found = found[int(key) if isinstance(found, list) else key]
    except (KeyError, IndexError):
        return None
    return found


def pair(results: Path, corpus: str, first: str, second: str) -> str:
    """A sentence with the difference between two models' accuracies, from `comparison.json`."""
    found = read_json(results / corpus / "comparison.json")
    for entry in found.get("pairs", []):
        if {entry["first"], entry["second"]} == {first, second}:
            sign = 1 if entry["first"] == first else -1
            low, high = sorted(sign * 100 * end for end in entry["interval"])
            return (
                f"{second} less {first} is {sign * 100 * entry['difference']:+.1f} points "
                f"({100 * found['confidence']:g} % interval {low:+.1f} to {high:+.1f}; "
                f"McNemar's p of the first trainings, corrected, {entry['p_value_holm']:g})."
            )
    return f"{first} and {second} are not both trained."


def checked(claim: dict, results: Path) -> dict:
    """A claim with the measured figures and a verdict: whether it holds, differs, has no figure or was not measured."""
    measured = [value_at(results, address) for address in claim.get("measured", [])]
    says = claim.get("says")
    if not measured or None in measured:
        verdict, measured = "not measured", [value for value in measured if value is not None]
    elif not says:
        verdict = "no figure in the notebook"
    else:
        largest = max(abs(ours - theirs) for ours, theirs in zip(measured, says, strict=True))
        verdict = "holds" if largest <= claim["within"] else f"differs by {largest:.4g}"
    figures = {name: value_at(results, address) for name, address in claim.get("note_figures", {}).items()}
    note = re.sub(r"\{pair:(\w+):(\w+)\}", lambda names: pair(results, "sst2", *names.groups()), claim.get("note", ""))
    note = note.format(**figures) if None not in figures.values() else ""
    found = {name: claim.get(name) for name in ("id", "claim", "within", "measured_on")}
    found |= {"says": says or [], "accuracy_on": claim.get("accuracy_on", [])}
    return found | {"measured": measured, "verdict": verdict, "note": note}


def main() -> None:
    arguments = command.arguments(__doc__, results=Path, out=Path)
    claims = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))
    found = [checked(claim, arguments.results) for claim in claims]
    files.write_json(arguments.out, {"claims": found})
    print("  ".join(f"{claim['id']}: {claim['verdict']}" for claim in found))


if __name__ == "__main__":
    command.run(main)
