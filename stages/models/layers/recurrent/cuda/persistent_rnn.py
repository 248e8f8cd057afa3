"""The plain recurrence on a GPU: all steps in one Triton kernel forward and one backward, see persistent.py."""

import triton
from triton import language as tl

from stages.models.layers.recurrent.cuda.persistent import COUNTS, product, program_tile, wait_for_all


@triton.jit(do_not_specialize=COUNTS)
def forward_kernel(
    states, weight, bias,
    counters, first, last, time, batch, SIZE: tl.constexpr, ROWS: tl.constexpr, UNITS: tl.constexpr,
    K: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """The states (T, B, H), in place, from W x + b."""
    rows, units, mask, offsets = program_tile(batch, SIZE, ROWS, UNITS)
    count = batch.to(tl.int64) * SIZE
    step = first
    while step < last:
        before = states + (step - 1) * count
        row_mask = (rows < batch) & (step > 0)
        total = product(before, rows * SIZE, row_mask, weight, units * SIZE, units < SIZE, 1, SIZE, K, PRECISION)
        total += tl.load(states + step * count + offsets, mask) + tl.load(bias + units, units < SIZE)[None, :]
        tl.store(states + step * count + offsets, 2 * tl.sigmoid(2 * total) - 1, mask)
        step += 1
        if step < last:
            wait_for_all(counters + tl.program_id(0), (step - first) * tl.num_programs(1))


@triton.jit(do_not_specialize=COUNTS)
def backward_kernel(
    grad_states, weight, states, grad_sums,
    counters, first, last, time, batch, SIZE: tl.constexpr, ROWS: tl.constexpr, UNITS: tl.constexpr,
    K: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """grad_states (T, B, H) → grad_sums (T, B, H), the last step first."""
    rows, units, mask, offsets = program_tile(batch, SIZE, ROWS, UNITS)
    count = batch.to(tl.int64) * SIZE
    step = last - 1
    while step >= first:
        after, row_mask = grad_sums + (step + 1) * count, (rows < batch) & (step + 1 < time)
        hidden = product(after, rows * SIZE, row_mask, weight, units, units < SIZE, SIZE, SIZE, K, PRECISION)
        hidden += tl.load(grad_states + step * count + offsets, mask)
        state = tl.load(states + step * count + offsets, mask)
        tl.store(grad_sums + step * count + offsets, hidden * (1 - state * state), mask)
        step -= 1
        if step >= first:
            wait_for_all(counters + tl.program_id(0), (last - 1 - step) * tl.num_programs(1))
