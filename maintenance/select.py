"""Put the corpora, encoder and GloVe of one run into params.yaml; the Makefile puts the file back afterwards.

`dvc exp run -S` would do it too, but killed it leaves git's HEAD detached, and it takes other corpora's outs away.
"""

import sys
from pathlib import Path

import yaml


def main(corpora: str, glove: str, encoder: str) -> None:
    path = Path("params.yaml")
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    if corpora:
        names = corpora.split(",")
        wanted = [params["corpora"].get(name, {}).get("run", {}) for name in names]
        if any(run != wanted[0] for run in wanted):
            sys.exit(f"error: {corpora} differ under `run` in params.yaml; run one after the other")
        params["run"] |= wanted[0] | {"corpora": names}
    if glove:
        params["run"]["glove_dimensions"] = [int(glove) if glove.isdigit() else glove]
    if encoder:
        params["run"]["encoders"] = [encoder]
    path.write_text(yaml.safe_dump(params, sort_keys=False, allow_unicode=True), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
