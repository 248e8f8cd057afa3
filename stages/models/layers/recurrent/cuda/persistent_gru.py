"""The GRU on a GPU: all steps in one Triton kernel forward and one backward, as persistent.py describes."""

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
    gates, weight, bias, recalled, states,
    counters, first, last, time, batch, SIZE: tl.constexpr, ROWS: tl.constexpr, UNITS: tl.constexpr,
    K: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """The gates (T, B, 3·H), in place, from W x + b; recalled and states are (T, B, H)."""
    rows, units, mask, offsets = program_tile(batch, SIZE, ROWS, UNITS)
    line, column_mask = gate_columns(SIZE, UNITS, 3)
    count = batch.to(tl.int64) * SIZE
    hidden = tl.load(states + (first - 1) * count + offsets, mask & (first > 0), other=0.0)
    step = first
    while step < last:
        before = states + (step - 1) * count
        row_mask = (rows < batch) & (step > 0)
        state_sums = product(before, rows * SIZE, row_mask, weight, line * SIZE, column_mask, 1, SIZE, K, PRECISION)
        r, z, recall, _ = split_gates(state_sums, ROWS, UNITS)
        gate = gates + step * 3 * count + rows[:, None] * 3 * SIZE + units[None, :]
        r = tl.sigmoid(tl.load(gate, mask) + r + tl.load(bias + units, units < SIZE)[None, :])
        z = tl.sigmoid(tl.load(gate + SIZE, mask) + z + tl.load(bias + SIZE + units, units < SIZE)[None, :])
        recall += tl.load(bias + 2 * SIZE + units, units < SIZE)[None, :]
        n = 2 * tl.sigmoid(2 * (tl.load(gate + 2 * SIZE, mask) + r * recall)) - 1
        hidden = n + z * (hidden - n)
        tl.store(states + step * count + offsets, hidden, mask)
        tl.store(recalled + step * count + offsets, recall, mask)
        tl.store(gate, r, mask)
        tl.store(gate + SIZE, z, mask)
        tl.store(gate + 2 * SIZE, n, mask)
        step += 1
        if step < last:
            wait_for_all(counters + tl.program_id(0), (step - first) * tl.num_programs(1))


@triton.jit(do_not_specialize=COUNTS)
def backward_kernel(
    grad_states, weight, gates, recalled, states, grad_direct, grad_sums, grad_state_sums,
    counters, first, last, time, batch, SIZE: tl.constexpr, ROWS: tl.constexpr, UNITS: tl.constexpr,
    K: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """grad_states (T, B, H) → grad_sums and grad_state_sums (T, B, 3·H), the last step first.

    grad_direct (B, H) is the gradient that reaches a state through z·h.
    """
    rows, units, mask, offsets = program_tile(batch, SIZE, ROWS, UNITS)
    count = batch.to(tl.int64) * SIZE
    direct = tl.load(grad_direct + offsets, mask, other=0.0)
    step = last - 1
    while step >= first:
        after, row_mask = grad_state_sums + (step + 1) * 3 * count, (rows < batch) & (step + 1 < time)
        hidden = product(after, rows * 3 * SIZE, row_mask, weight, units, units < SIZE, SIZE, 3 * SIZE, K, PRECISION)
        hidden += direct + tl.load(grad_states + step * count + offsets, mask)
        gate = step * 3 * count + rows[:, None] * 3 * SIZE + units[None, :]
        r, z = tl.load(gates + gate, mask), tl.load(gates + gate + SIZE, mask)
        n = tl.load(gates + gate + 2 * SIZE, mask)
        before = tl.load(states + (step - 1) * count + offsets, mask & (step > 0), other=0.0)
        grad_n = hidden * (1 - z) * (1 - n * n)
        grad_r = grad_n * tl.load(recalled + step * count + offsets, mask) * r * (1 - r)
        grad_z = hidden * (before - n) * z * (1 - z)
        tl.store(grad_state_sums + gate, grad_r, mask)
        tl.store(grad_state_sums + gate + SIZE, grad_z, mask)
        tl.store(grad_state_sums + gate + 2 * SIZE, grad_n * r, mask)
        tl.store(grad_sums + gate, grad_r, mask)
        tl.store(grad_sums + gate + SIZE, grad_z, mask)
        tl.store(grad_sums + gate + 2 * SIZE, grad_n, mask)
        direct = hidden * z
        step -= 1
        if step >= first:
            wait_for_all(counters + tl.program_id(0), (last - 1 - step) * tl.num_programs(1))
    tl.store(grad_direct + offsets, direct, mask)
