"""The card's own peaks, to compare others with: matrix products in bf16 and fp32, and a copy."""

from collections.abc import Iterator

import torch

from benchmarks.gpu.measurement import Measurement, seconds
from benchmarks.gpu.trainings import Inputs

SIDE = {"cuda": 8192, "cpu": 512}
REPEATS = 20


def product_peak(device: torch.device, kind: torch.dtype) -> float:
    """Floating-point operations a second in the product of two large random matrices."""
    side = SIDE[device.type]
    matrix = torch.randn(side, side, device=device).to(kind)
    for _ in range(3):
        matrix @ matrix
    taken = seconds(lambda: [matrix @ matrix for _ in range(REPEATS)], device)
    return REPEATS * 2 * side**3 / taken


def measure(inputs: Inputs) -> Iterator[Measurement]:
    for name, kind in {"bf16": torch.bfloat16, "fp32": torch.float32}.items():
        yield Measurement(f"peak of a product in {name}", product_peak(inputs.device, kind) / 1e12, "TFLOP/s")
    numbers = torch.randn(SIDE[inputs.device.type], 65_536, device=inputs.device)
    taken = seconds(lambda: [numbers.clone() for _ in range(REPEATS)], inputs.device)
    yield Measurement("copy on the card, read and written", REPEATS * 2 * numbers.nbytes / taken / 1e12, "TB/s")
