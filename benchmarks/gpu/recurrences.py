"""Every cell, shape and way to compute it, against cuDNN."""

from collections.abc import Iterator
from functools import partial

from benchmarks.gpu.measurement import Measurement, attempted
from benchmarks.gpu.recurrence_ways import CUDNN, PERSISTENT, WAYS, Case, measured
from benchmarks.gpu.trainings import Inputs
from benchmarks.recurrences import CELLS, SHAPES

AIM = 1.5


def ways_of(number: int, shape: tuple[int, ...], inputs: Inputs) -> Iterator[Measurement]:
    case, cudnn_milliseconds = Case(number, shape, inputs.device), 0.0
    for way in WAYS:
        error, milliseconds = measured(case, way)
        cudnn_milliseconds = milliseconds if way == CUDNN else cudnn_milliseconds
        ratio = milliseconds / cudnn_milliseconds
        reached = ratio <= AIM if way == PERSISTENT else None
        note = f"{milliseconds:.3f} ms, largest error {error:.1e}"
        name = f"{case.cell.__name__} {shape}, {way}"
        yield Measurement(name, ratio, "of cuDNN's time", f"{AIM}" if way == PERSISTENT else "", reached, note)


def measure(inputs: Inputs) -> Iterator[Measurement]:
    if inputs.device.type != "cuda":
        return
    for shape in SHAPES:
        for number, (cell, _) in enumerate(CELLS):
            yield from attempted(f"{cell.__name__} {shape}", partial(ways_of, number, shape, inputs))
