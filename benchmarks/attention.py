"""How time and memory of both forms of attention grow with a text's length; writes benchmarks/attention.json too."""

import json
import math
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from benchmarks.timing import Row, seconds
from stages.models.layers.self_attention import linear_attention, softmax_attention

FORMS = {"softmax": softmax_attention, "linear": linear_attention}
LENGTHS = [128, 256, 512, 1024, 2048, 4096, 8192, 16384]
SIZE = 64  # of a query, a key and a value
FITTED = 4  # of the longest lengths, where the growing part outweighs the fixed one
WRITTEN = Path(__file__).with_name("attention.json")


def measure(form: str, length: int) -> dict[str, float]:
    """For one forward pass over one text: the median time, and the bytes by which it raised peak memory."""
    attend = FORMS[form]
    inputs, words = torch.randn(3, 1, length, SIZE), torch.ones(1, length, dtype=torch.bool)
    attend(*inputs[:, :, :64], words[:, :64])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    first = seconds(lambda: attend(*inputs, words))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = [seconds(lambda: attend(*inputs, words)) for _ in range(max(3, min(50, int(1 / first))))]
    unit = 1 if sys.platform == "darwin" else 1024
    return {"seconds": statistics.median(times), "bytes": (peak - before) * unit}


def in_a_process(form: str, length: int) -> dict[str, float]:
    """`measure` in a new process, where nothing has raised peak memory before."""
    command = [sys.executable, "-m", "benchmarks.attention", form, str(length)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def exponent(values: list[float]) -> float:
    """The power of the length with which the last values grow, fitted to their logarithms."""
    xs = [math.log(length) for length in LENGTHS[-FITTED:]]
    return statistics.linear_regression(xs, [math.log(max(value, 1e-9)) for value in values[-FITTED:]]).slope


def rows() -> Iterator[Row]:
    forms = {}
    for form, aim in (("softmax", None), ("linear", 1.1)):
        found = [in_a_process(form, length) for length in LENGTHS]
        times, memory = ([measured[unit] for measured in found] for unit in ("seconds", "bytes"))
        exponents = {"time_exponent": round(exponent(times), 2), "memory_exponent": round(exponent(memory), 2)}
        forms[form] = {"seconds": [float(f"{value:.3g}") for value in times], "bytes": memory, **exponents}
        what = f"attention, {form}, {LENGTHS[0]} to {LENGTHS[-1]:,} words"
        note = f"{1000 * times[-1]:.3g} ms at the longest"
        yield Row(f"{what}, time", "length to the power of 1", exponents["time_exponent"], aim, note)
        note = f"{memory[-1] / 1e6:.0f} MB at the longest"
        yield Row(f"{what}, memory", "length to the power of 1", exponents["memory_exponent"], aim, note)
    content = {"lengths": LENGTHS, "size": SIZE, "forms": forms}
    WRITTEN.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
