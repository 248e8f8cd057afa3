"""The LSTM's steps in one Triton kernel forward and one backward, see persistent.py."""

import triton
from triton import language as tl

from stages.models.layers.recurrent.cuda.persistent import (
    COUNTS,
    gate_columns,
    place,
    product,
    split_gates,
    wait_for_all,
)


@triton.jit(do_not_specialize=COUNTS)
def forward_kernel(
    gates, weight, bias, cells, states,
    counters, first, last, time, batch, SIZE: tl.constexpr, ROWS: tl.constexpr, UNITS: tl.constexpr,
    K: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """The inputs' share of the sums (T, B, 4·H) → gates, in place; cells and states (T, B, H)."""
    rows, units, there, at = place(batch, SIZE, ROWS, UNITS)
    line, columns_there = gate_columns(SIZE, UNITS, 4)
    count = batch.to(tl.int64) * SIZE
    cell = tl.load(cells + (first - 1) * count + at, there & (first > 0), other=0.0)
    step = first
    while step < last:
        before = states + (step - 1) * count
        rows_there = (rows < batch) & (step > 0)
        share = product(before, rows * SIZE, rows_there, weight, line * SIZE, columns_there, 1, SIZE, K, PRECISION)
        i, f, g, o = split_gates(share, ROWS, UNITS)
        gate = gates + step * 4 * count + rows[:, None] * 4 * SIZE + units[None, :]
        i = tl.sigmoid(i + tl.load(gate, there) + tl.load(bias + units, units < SIZE)[None, :])
        f = tl.sigmoid(f + tl.load(gate + SIZE, there) + tl.load(bias + SIZE + units, units < SIZE)[None, :])
        g += tl.load(gate + 2 * SIZE, there) + tl.load(bias + 2 * SIZE + units, units < SIZE)[None, :]
        g = 2 * tl.sigmoid(2 * g) - 1
        o = tl.sigmoid(o + tl.load(gate + 3 * SIZE, there) + tl.load(bias + 3 * SIZE + units, units < SIZE)[None, :])
        cell = f * cell + i * g
        tl.store(states + step * count + at, o * (2 * tl.sigmoid(2 * cell) - 1), there)
        tl.store(cells + step * count + at, cell, there)
        tl.store(gate, i, there)
        tl.store(gate + SIZE, f, there)
        tl.store(gate + 2 * SIZE, g, there)
        tl.store(gate + 3 * SIZE, o, there)
        step += 1
        if step < last:
            wait_for_all(counters + tl.program_id(0), (step - first) * tl.num_programs(1))


@triton.jit(do_not_specialize=COUNTS)
def backward_kernel(
    grad_states, weight, gates, cells, grad_cells, grad_sums,
    counters, first, last, time, batch, SIZE: tl.constexpr, ROWS: tl.constexpr, UNITS: tl.constexpr,
    K: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """grad_states (T, B, H) → grad_sums (T, B, 4·H), from the last step on; grad_cells (B, H) goes along."""
    rows, units, there, at = place(batch, SIZE, ROWS, UNITS)
    count = batch.to(tl.int64) * SIZE
    grad_cell = tl.load(grad_cells + at, there, other=0.0)
    step = last - 1
    while step >= first:
        after, rows_there = grad_sums + (step + 1) * 4 * count, (rows < batch) & (step + 1 < time)
        hidden = product(after, rows * 4 * SIZE, rows_there, weight, units, units < SIZE, SIZE, 4 * SIZE, K, PRECISION)
        hidden += tl.load(grad_states + step * count + at, there)
        gate = step * 4 * count + rows[:, None] * 4 * SIZE + units[None, :]
        i, f = tl.load(gates + gate, there), tl.load(gates + gate + SIZE, there)
        g, o = tl.load(gates + gate + 2 * SIZE, there), tl.load(gates + gate + 3 * SIZE, there)
        squashed = 2 * tl.sigmoid(2 * tl.load(cells + step * count + at, there)) - 1
        before = tl.load(cells + (step - 1) * count + at, there & (step > 0), other=0.0)
        grad_cell += hidden * o * (1 - squashed * squashed)
        tl.store(grad_sums + gate, grad_cell * g * i * (1 - i), there)
        tl.store(grad_sums + gate + SIZE, grad_cell * before * f * (1 - f), there)
        tl.store(grad_sums + gate + 2 * SIZE, grad_cell * i * (1 - g * g), there)
        tl.store(grad_sums + gate + 3 * SIZE, hidden * squashed * o * (1 - o), there)
        grad_cell *= f
        step -= 1
        if step >= first:
            wait_for_all(counters + tl.program_id(0), (last - 1 - step) * tl.num_programs(1))
    tl.store(grad_cells + at, grad_cell, there)
