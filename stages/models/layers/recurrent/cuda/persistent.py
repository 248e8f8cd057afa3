"""What persistent kernels, which compute all steps in one launch, share: tiles, products, the wait between steps.

Program (r, u) computes ROWS rows of the batch and UNITS units of the state. All programs run at once, so that those of
the same rows can wait for each other's part of a state before the next step.
"""

import triton
from triton import language as tl

COUNTS = ["first", "last", "time", "batch"]  # arguments whose values are not compiled in


@triton.jit
def program_tile(batch, SIZE: tl.constexpr, ROWS: tl.constexpr, UNITS: tl.constexpr):
    """This program's rows and units, and of its (ROWS, UNITS) tile of a tensor (B, H) the mask and the offsets."""
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    units = tl.program_id(1) * UNITS + tl.arange(0, UNITS)
    mask = (rows < batch)[:, None] & (units < SIZE)[None, :]
    return rows, units, mask, rows[:, None] * SIZE + units[None, :]


@triton.jit
def product(
    left, row, row_mask, weight, column, column_mask, STRIDE: tl.constexpr, DEPTH: tl.constexpr, K: tl.constexpr,
    PRECISION: tl.constexpr,
):  # fmt: skip
    """left (ROWS, DEPTH) · weight (DEPTH, columns).

    row, column: offsets of the rows of `left` and the columns of `weight`, whose rows are STRIDE apart.
    """
    total = tl.zeros((row.shape[0], column.shape[0]), tl.float32)
    for start in range(0, DEPTH, K):
        k = start + tl.arange(0, K)
        tile_mask = row_mask[:, None] & (k < DEPTH)[None, :]
        # Around the first-level cache, which does not see what other multiprocessors write.
        tile = tl.load(left + row[:, None] + k[None, :], tile_mask, other=0.0, cache_modifier=".cg")
        part_mask = (k < DEPTH)[:, None] & column_mask[None, :]
        part = tl.load(weight + k[:, None] * STRIDE + column[None, :], part_mask, other=0.0)
        total = tl.dot(tile, part, total, input_precision=PRECISION)
    return total


@triton.jit
def gate_columns(SIZE: tl.constexpr, UNITS: tl.constexpr, GATES: tl.constexpr):
    """For each of UNITS · 4 columns, a unit's gates side by side: its row in weight_hh (G·H, H), and if it has one."""
    columns = tl.arange(0, 4 * UNITS)
    gate, unit = columns % 4, tl.program_id(1) * UNITS + columns // 4
    return gate * SIZE + unit, (gate < GATES) & (unit < SIZE)


@triton.jit
def split_gates(sums, ROWS: tl.constexpr, UNITS: tl.constexpr):
    """(ROWS, UNITS · 4), a unit's gates side by side → 4 × (ROWS, UNITS)."""
    even, odd = tl.split(tl.reshape(sums, (ROWS, UNITS, 2, 2)))
    first, third = tl.split(even)
    second, fourth = tl.split(odd)
    return first, second, third, fourth


@triton.jit
def wait_for_all(counter, target):
    """Wait until the programs of the same rows have called this `target` times in all; then all they wrote is seen."""
    tl.debug_barrier()
    tl.atomic_add(counter, 1, sem="release", scope="gpu")
    while tl.atomic_add(counter, 0, sem="acquire", scope="gpu") < target:
        pass
    tl.debug_barrier()
