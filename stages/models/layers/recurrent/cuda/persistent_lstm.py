"""The LSTM on a GPU: all steps in one Triton kernel forward and one backward, as persistent.py describes."""

import triton
from triton import language as tl

from stages.models.layers.recurrent.cuda.persistent import (
    COUNTS,
    gate_columns,
    product,
    program_tile,
    split_gates,
    wait_for_all,
)


@triton.jit(do_not_specialize=COUNTS)
def forward_kernel(
    gates, weight, bias, cells, states,
    counters, first, last, time, batch, SIZE: tl.constexpr, ROWS: tl.constexpr, UNITS: tl.constexpr,
    K: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """The gates (T, B, 4·H), in place, from W x + b; cells and states are (T, B, H)."""
    rows, units, mask, offsets = program_tile(batch, SIZE, ROWS, UNITS)
    line, column_mask = gate_columns(SIZE, UNITS, 4)
    count = batch.to(tl.int64) * SIZE
    cell = tl.load(cells + (first - 1) * count + offsets, mask & (first > 0), other=0.0)
    step = first
    while step < last:
        before = states + (step - 1) * count
        row_mask = (rows < batch) & (step > 0)
        state_sums = product(before, rows * SIZE, row_mask, weight, line * SIZE, column_mask, 1, SIZE, K, PRECISION)
        i, f, g, o = split_gates(state_sums, ROWS, UNITS)
        gate = gates + step * 4 * count + rows[:, None] * 4 * SIZE + units[None, :]
        i = tl.sigmoid(i + tl.load(gate, mask) + tl.load(bias + units, units < SIZE)[None, :])
        f = tl.sigmoid(f + tl.load(gate + SIZE, mask) + tl.load(bias + SIZE + units, units < SIZE)[None, :])
        g += tl.load(gate + 2 * SIZE, mask) + tl.load(bias + 2 * SIZE + units, units < SIZE)[None, :]
        g = 2 * tl.sigmoid(2 * g) - 1
        o = tl.sigmoid(o + tl.load(gate + 3 * SIZE, mask) + tl.load(bias + 3 * SIZE + units, units < SIZE)[None, :])
        cell = f * cell + i * g
        tl.store(states + step * count + offsets, o * (2 * tl.sigmoid(2 * cell) - 1), mask)
        tl.store(cells + step * count + offsets, cell, mask)
        tl.store(gate, i, mask)
        tl.store(gate + SIZE, f, mask)
        tl.store(gate + 2 * SIZE, g, mask)
        tl.store(gate + 3 * SIZE, o, mask)
        step += 1
        if step < last:
            wait_for_all(counters + tl.program_id(0), (step - first) * tl.num_programs(1))


@triton.jit(do_not_specialize=COUNTS)
def backward_kernel(
    grad_states, weight, gates, cells, grad_cells, grad_sums,
    counters, first, last, time, batch, SIZE: tl.constexpr, ROWS: tl.constexpr, UNITS: tl.constexpr,
    K: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """grad_states (T, B, H) → grad_sums (T, B, 4·H), the last step first; grad_cells is (B, H)."""
    rows, units, mask, offsets = program_tile(batch, SIZE, ROWS, UNITS)
    count = batch.to(tl.int64) * SIZE
    grad_cell = tl.load(grad_cells + offsets, mask, other=0.0)
    step = last - 1
    while step >= first:
        after, row_mask = grad_sums + (step + 1) * 4 * count, (rows < batch) & (step + 1 < time)
        hidden = product(after, rows * 4 * SIZE, row_mask, weight, units, units < SIZE, SIZE, 4 * SIZE, K, PRECISION)
        hidden += tl.load(grad_states + step * count + offsets, mask)
        gate = step * 4 * count + rows[:, None] * 4 * SIZE + units[None, :]
        i, f = tl.load(gates + gate, mask), tl.load(gates + gate + SIZE, mask)
        g, o = tl.load(gates + gate + 2 * SIZE, mask), tl.load(gates + gate + 3 * SIZE, mask)
        squashed = 2 * tl.sigmoid(2 * tl.load(cells + step * count + offsets, mask)) - 1
        before = tl.load(cells + (step - 1) * count + offsets, mask & (step > 0), other=0.0)
        grad_cell += hidden * o * (1 - squashed * squashed)
        tl.store(grad_sums + gate, grad_cell * g * i * (1 - i), mask)
        tl.store(grad_sums + gate + SIZE, grad_cell * before * f * (1 - f), mask)
        tl.store(grad_sums + gate + 2 * SIZE, grad_cell * i * (1 - g * g), mask)
        tl.store(grad_sums + gate + 3 * SIZE, hidden * squashed * o * (1 - o), mask)
        grad_cell *= f
        step -= 1
        if step >= first:
            wait_for_all(counters + tl.program_id(0), (last - 1 - step) * tl.num_programs(1))
    tl.store(grad_cells + offsets, grad_cell, mask)
