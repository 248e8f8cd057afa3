"""The launch of a persistent kernel, where all its programs fit on the GPU at once."""

from typing import NamedTuple

import torch
import triton

TILES = ((16, 16), (16, 32), (32, 32), (64, 32), (64, 64))  # ROWS, UNITS


class Tuning(NamedTuple):
    """How a kernel computes its products.

    precision: of tl.dot: "ieee", "tf32x3" (as precise as fp32) or "tf32".
    """

    precision: str = "tf32x3"
    depth: int = 64  # columns of a product's left side that are loaded at once
    warps: int = 4
    stages: int = 3  # loads in flight at once


def tile(batch: int, size: int, device: torch.device, least_units: int) -> tuple[int, int] | None:
    """The smallest (ROWS, UNITS) with which all programs fit on the GPU at once; the interpreter runs them in turn."""
    on_gpu = device.type == "cuda"
    room = torch.cuda.get_device_properties(device).multi_processor_count if on_gpu else batch * size
    for rows, units in TILES:
        if units >= least_units and triton.cdiv(batch, rows) * triton.cdiv(size, units) <= room:
            return rows, units
    return None


def fits(states: torch.Tensor, size: int) -> bool:
    return tile(states.size(1), size, states.device, 32) is not None


def launch(kernel, tensors: tuple[torch.Tensor, ...], shape: torch.Size, tuning: Tuning, backwards: bool = False):
    """Run all steps of `shape`, (T, B, H): in one launch on a GPU, in one launch a step in Triton's interpreter.

    The interpreter runs one program after another, so that a wait within a launch would never end.
    """
    time, batch, size = shape
    device = tensors[0].device
    rows, units = tile(batch, size, device, 32 if backwards else 16)  # a gradient's product is deep and narrow
    grid = triton.cdiv(batch, rows), triton.cdiv(size, units)
    depth = min(tuning.depth, max(16, triton.next_power_of_2(size)))
    counters = torch.zeros(grid[0], dtype=torch.int32, device=device)
    spans, options = [(step, step + 1) for step in range(time)], {}
    if device.type == "cuda":
        spans = [(0, time)]
        # A cooperative launch of too large a grid is an error; an ordinary one would wait without end. Staged copies
        # of less than 16 bytes would go through the first-level cache.
        stages = tuning.stages if size % depth == 0 else 1
        options = {"launch_cooperative_grid": True, "num_warps": tuning.warps, "num_stages": stages}
    for first, last in reversed(spans) if backwards else spans:
        sizes = first, last, time, batch, size, rows, units, depth
        kernel[grid](*tensors, counters, *sizes, tuning.precision, **options)
