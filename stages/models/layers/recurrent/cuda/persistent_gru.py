"""The GRU's steps in one Triton kernel forward and one backward, see persistent.py."""

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
    gates, weight, bias, recalled, states,
    counters, first, last, time, batch, SIZE: tl.constexpr, ROWS: tl.constexpr, UNITS: tl.constexpr,
    K: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """The inputs' share of the sums (T, B, 3·H) → gates, in place; recalled and states (T, B, H)."""
    rows, units, there, at = place(batch, SIZE, ROWS, UNITS)
    line, columns_there = gate_columns(SIZE, UNITS, 3)
    count = batch.to(tl.int64) * SIZE
    hidden = tl.load(states + (first - 1) * count + at, there & (first > 0), other=0.0)
    step = first
    while step < last:
        before = states + (step - 1) * count
        rows_there = (rows < batch) & (step > 0)
        share = product(before, rows * SIZE, rows_there, weight, line * SIZE, columns_there, 1, SIZE, K, PRECISION)
        r, z, recall, _ = split_gates(share, ROWS, UNITS)
        gate = gates + step * 3 * count + rows[:, None] * 3 * SIZE + units[None, :]
        r = tl.sigmoid(tl.load(gate, there) + r + tl.load(bias + units, units < SIZE)[None, :])
        z = tl.sigmoid(tl.load(gate + SIZE, there) + z + tl.load(bias + SIZE + units, units < SIZE)[None, :])
        recall += tl.load(bias + 2 * SIZE + units, units < SIZE)[None, :]
        n = 2 * tl.sigmoid(2 * (tl.load(gate + 2 * SIZE, there) + r * recall)) - 1
        hidden = n + z * (hidden - n)
        tl.store(states + step * count + at, hidden, there)
        tl.store(recalled + step * count + at, recall, there)
        tl.store(gate, r, there)
        tl.store(gate + SIZE, z, there)
        tl.store(gate + 2 * SIZE, n, there)
        step += 1
        if step < last:
            wait_for_all(counters + tl.program_id(0), (step - first) * tl.num_programs(1))


@triton.jit(do_not_specialize=COUNTS)
def backward_kernel(
    grad_states, weight, gates, recalled, states, kept, grad_sums, grad_shares,
    counters, first, last, time, batch, SIZE: tl.constexpr, ROWS: tl.constexpr, UNITS: tl.constexpr,
    K: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """grad_states (T, B, H) → grad_sums and grad_shares (T, B, 3·H), from the last step on; kept (B, H) goes along."""
    rows, units, there, at = place(batch, SIZE, ROWS, UNITS)
    count = batch.to(tl.int64) * SIZE
    keep = tl.load(kept + at, there, other=0.0)
    step = last - 1
    while step >= first:
        after, rows_there = grad_shares + (step + 1) * 3 * count, (rows < batch) & (step + 1 < time)
        hidden = product(after, rows * 3 * SIZE, rows_there, weight, units, units < SIZE, SIZE, 3 * SIZE, K, PRECISION)
        hidden += keep + tl.load(grad_states + step * count + at, there)
        gate = step * 3 * count + rows[:, None] * 3 * SIZE + units[None, :]
        r, z = tl.load(gates + gate, there), tl.load(gates + gate + SIZE, there)
        n = tl.load(gates + gate + 2 * SIZE, there)
        before = tl.load(states + (step - 1) * count + at, there & (step > 0), other=0.0)
        grad_n = hidden * (1 - z) * (1 - n * n)
        grad_r = grad_n * tl.load(recalled + step * count + at, there) * r * (1 - r)
        grad_z = hidden * (before - n) * z * (1 - z)
        tl.store(grad_shares + gate, grad_r, there)
        tl.store(grad_shares + gate + SIZE, grad_z, there)
        tl.store(grad_shares + gate + 2 * SIZE, grad_n * r, there)
        tl.store(grad_sums + gate, grad_r, there)
        tl.store(grad_sums + gate + SIZE, grad_z, there)
        tl.store(grad_sums + gate + 2 * SIZE, grad_n, there)
        keep = hidden * z
        step -= 1
        if step >= first:
            wait_for_all(counters + tl.program_id(0), (last - 1 - step) * tl.num_programs(1))
    tl.store(kept + at, keep, there)
