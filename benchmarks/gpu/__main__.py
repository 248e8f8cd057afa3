"""Check and time what a GPU computes: prints a line for each step and updates benchmarks/gpu.json. `make gpu` runs it.

It needs torch with CUDA, transformers, pandas, pyarrow and safetensors, and what `make gpu-inputs` has packed; no DVC
and no network.
"""

import argparse
import json
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch

from benchmarks.gpu import card, checks, ladder, notebook_n, recurrences
from benchmarks.gpu.measurement import Measurement, attempted
from benchmarks.gpu.trainings import Inputs
from stages.training.accelerator.devices import choose_device

PARTS: dict[str, Callable[[Inputs], Iterator[Measurement]]] = {
    "card": card.measure,
    "recurrences": recurrences.measure,
    "checks": checks.measure,
    "epochs": ladder.first_epochs,
    "notebook_n": notebook_n.measure,
    "ladder": ladder.whole_trainings,
}
SECONDS = 480


def machine(device: torch.device) -> dict:
    about = {"torch": torch.__version__, "python": platform.python_version(), "device": str(device)}
    if device.type == "cuda":
        about |= {"card": torch.cuda.get_device_name(device), "cuda": torch.version.cuda}
        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        about["driver"] = subprocess.run(query, capture_output=True, text=True).stdout.strip()
    return about


def shown(row: Measurement) -> str:
    state = {True: "ok", False: "NOT REACHED", None: ""}[row.reached]
    return f"{row.what:58} {row.value:12.4g} {row.unit:22} {row.aim:12} {state:12} {row.note}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=Path, default=Path("data/gpu"), help="what `make gpu-inputs` wrote")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/gpu.json"))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--seconds", type=float, default=SECONDS, help="no step begins after so many seconds")
    arguments = parser.parse_args()
    started, device = time.monotonic(), choose_device()
    found = json.loads(arguments.out.read_text(encoding="utf-8")) if arguments.out.is_file() else {}
    found["machine"] = machine(device)
    print(found["machine"], flush=True)
    inputs = Inputs(arguments.inputs, device)
    for part in arguments.parts:
        found[part] = []
        for row in attempted(part, partial(PARTS[part], inputs)):
            found[part].append(asdict(row))
            print(f"{time.monotonic() - started:6.1f} s  {shown(row)}", flush=True)
            arguments.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
            if time.monotonic() - started > arguments.seconds:
                print(f"{arguments.seconds:.0f} s are over; not measured: the rest of {part} and the parts after it")
                return


if __name__ == "__main__":
    main()
