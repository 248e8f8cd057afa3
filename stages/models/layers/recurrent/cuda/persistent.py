"""What the kernels that take all steps in one launch share: their place, the product, the wait between steps.

Program (r, u) has ROWS rows of the batch and UNITS units of the state. All programs run at once, so that those of
the same rows can wait for each other's share of a state.
"""

import triton
from triton import language as tl

COUNTS = ["first", "last", "time", "batch"]  # arguments whose values are not compiled in


@triton.jit
def place(batch, SIZE: tl.constexpr, ROWS: tl.constexpr, UNITS: tl.constexpr):
    """This program's rows and units; which of their (ROWS, UNITS) there are, and where, in a tensor (B, H)."""
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    units = tl.program_id(1) * UNITS + tl.arange(0, UNITS)
    there = (rows < batch)[:, None] & (units < SIZE)[None, :]
    return rows, units, there, rows[:, None] * SIZE + units[None, :]


@triton.jit
def product(
    left, row, rows_there, weight, column, columns_there, STRIDE: tl.constexpr, DEPTH: tl.constexpr, K: tl.constexpr,
    PRECISION: tl.constexpr,
):  # fmt: skip
    """left (ROWS, DEPTH) · weight (DEPTH, columns); `row` and `column` are where they start, STRIDE is weight's."""
    total = tl.zeros((row.shape[0], column.shape[0]), tl.float32)
    for start in range(0, DEPTH, K):
        k = start + tl.arange(0, K)
        ours = rows_there[:, None] & (k < DEPTH)[None, :]
        # Past the first cache, which does not see what other processors write.
        tile = tl.load(left + row[:, None] + k[None, :], ours, other=0.0, cache_modifier=".cg")
        theirs = (k < DEPTH)[:, None] & columns_there[None, :]
        part = tl.load(weight + k[:, None] * STRIDE + column[None, :], theirs, other=0.0)
        total = tl.dot(tile, part, total, input_precision=PRECISION)
    return total


@triton.jit
def gate_columns(SIZE: tl.constexpr, UNITS: tl.constexpr, GATES: tl.constexpr):
    """For each of UNITS · 4 columns, gate by gate within a unit, its row in weight_hh (G·H, H) and if there is one."""
    columns = tl.arange(0, 4 * UNITS)
    gate, unit = columns % 4, tl.program_id(1) * UNITS + columns // 4
    return gate * SIZE + unit, (gate < GATES) & (unit < SIZE)


@triton.jit
def split_gates(sums, ROWS: tl.constexpr, UNITS: tl.constexpr):
    """(ROWS, UNITS · 4), gate by gate within a unit → 4 × (ROWS, UNITS)."""
    even, odd = tl.split(tl.reshape(sums, (ROWS, UNITS, 2, 2)))
    first, third = tl.split(even)
    second, fourth = tl.split(odd)
    return first, second, third, fourth


@triton.jit
def wait_for_all(counter, target):
    """Until the programs of the same rows have come here `target` times in all, and can see what the others wrote."""
    tl.debug_barrier()
    tl.atomic_add(counter, 1, sem="release", scope="gpu")
    while tl.atomic_add(counter, 0, sem="acquire", scope="gpu") < target:
        pass
    tl.debug_barrier()
