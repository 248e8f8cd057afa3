"""Run every benchmark, print a table and write benchmarks/results.json: `make bench`."""

import json
from dataclasses import asdict
from pathlib import Path

from benchmarks import attention, encoder, encoder_share, epochs, growth, pipeline, recurrences, text

PARTS = [recurrences, attention, epochs, encoder, encoder_share, text, pipeline, growth]


def main() -> None:
    found = []
    for part in PARTS:
        for row in part.rows():
            found.append(row)
            ratio = "–" if row.ratio is None else f"{row.ratio:.2f}"
            print(f"{row.what:75} {row.against:20} {ratio:>6}  {row.note}", flush=True)
    results = [asdict(row) | {"ratio": row.ratio and round(row.ratio, 2)} for row in found]
    Path(__file__).with_name("results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
