"""The hand-written recurrences on a GPU: parity with torch's in float64, and time against cuDNN's."""

from collections.abc import Iterator

from benchmarks.gpu import recurrence_variants
from benchmarks.gpu.measurement import Measurement
from benchmarks.gpu.trainings import Inputs

LARGEST_ERROR = 1e-4  # of the largest number of its tensor
AIM = 1.5


def measure(inputs: Inputs) -> Iterator[Measurement]:
    if inputs.device.type != "cuda":
        return
    for row in recurrence_variants.measure(inputs.device):
        name = f"{row['cell']} {tuple(row['shape'])}, {row['variant']}"
        if "error" in row:
            yield Measurement(name, float("nan"), "", note=row["error"])
            continue
        reached = None if row["ratio_to_cudnn"] is None else row["ratio_to_cudnn"] <= AIM
        note = f"{row['milliseconds']:.3f} ms, largest error {row['max_error']:.1e}"
        yield Measurement(name, row["ratio_to_cudnn"] or 1.0, "of cuDNN's time", f"{AIM}", reached, note)
