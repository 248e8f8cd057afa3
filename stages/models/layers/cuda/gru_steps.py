"""The GRU's steps on a GPU: a product and one Triton kernel each, forward and backward."""

import torch
import triton
from triton import language as tl

BLOCK = 256


@triton.jit(do_not_specialize=["step"])
def forward_kernel(gates, of_state, bias, recalled, states, step, size, count, BLOCK: tl.constexpr):
    """The inputs' share (T, B, 3·H) → gates, in place, of one step; of_state is U h (B, 3·H); count = B·H."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = at < count
    unit = at % size
    row = at // size * 3 * size + unit
    step = step.to(tl.int64) * count
    gate, share = gates + 3 * step + row, of_state + row
    r = tl.sigmoid(tl.load(gate, there) + (tl.load(share, there) + tl.load(bias + unit, there)))
    z = tl.sigmoid(tl.load(gate + size, there) + (tl.load(share + size, there) + tl.load(bias + size + unit, there)))
    recall = tl.load(share + 2 * size, there) + tl.load(bias + 2 * size + unit, there)
    n = 2 * tl.sigmoid(2 * (tl.load(gate + 2 * size, there) + r * recall)) - 1
    before = tl.load(states + step - count + at, there & (step > 0), other=0.0)
    tl.store(gate, r, there)
    tl.store(gate + size, z, there)
    tl.store(gate + 2 * size, n, there)
    tl.store(recalled + step + at, recall, there)
    tl.store(states + step + at, n + z * (before - n), there)


@triton.jit(do_not_specialize=["step"])
def backward_kernel(
    of_states, of_hidden, kept, gates, recalled, states, of_sums, of_shares, step, size, count, BLOCK: tl.constexpr
):
    """The gradients of one step's two shares (T, B, 3·H); of_hidden and kept, z's part of it, are (B, H)."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = at < count
    step = step.to(tl.int64) * count
    row = 3 * step + at // size * 3 * size + at % size
    gate, of_sum, of_share = gates + row, of_sums + row, of_shares + row
    r, z, n = tl.load(gate, there), tl.load(gate + size, there), tl.load(gate + 2 * size, there)
    hidden = tl.load(of_hidden + at, there) + tl.load(kept + at, there) + tl.load(of_states + step + at, there)
    before = tl.load(states + step - count + at, there & (step > 0), other=0.0)
    of_n = hidden * (1 - z) * (1 - n * n)
    of_r = of_n * tl.load(recalled + step + at, there) * r * (1 - r)
    of_z = hidden * (before - n) * z * (1 - z)
    tl.store(of_sum, of_r, there)
    tl.store(of_sum + size, of_z, there)
    tl.store(of_sum + 2 * size, of_n, there)
    tl.store(of_share, of_r, there)
    tl.store(of_share + size, of_z, there)
    tl.store(of_share + 2 * size, of_n * r, there)
    tl.store(kept + at, hidden * z, there)


def read(sums: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """As `GRU.read`."""
    gates, size = sums, weight_hh.size(1)
    states = gates.new_empty(*gates.shape[:2], size)  # (T, B, H)
    recalled, of_state = torch.empty_like(states), torch.zeros_like(gates[0])
    count = states[0].numel()
    for time in range(len(states)):
        if time:
            torch.mm(states[time - 1], weight_hh.t(), out=of_state)
        tensors = gates, of_state, bias_hh, recalled, states
        forward_kernel[(triton.cdiv(count, BLOCK),)](*tensors, time, size, count, BLOCK)
    return states, gates, recalled


def derive(of_states, weight_hh, states, gates, recalled) -> tuple[torch.Tensor, torch.Tensor]:
    """As `GRU.derive`."""
    of_sums, of_shares = torch.empty_like(gates), torch.empty_like(gates)
    of_hidden, kept = torch.zeros_like(states[0]), torch.zeros_like(states[0])
    count, size = kept.numel(), kept.size(1)
    for time in reversed(range(len(states))):
        tensors = of_states, of_hidden, kept, gates, recalled, states, of_sums, of_shares
        backward_kernel[(triton.cdiv(count, BLOCK),)](*tensors, time, size, count, BLOCK)
        if time:
            torch.mm(of_shares[time], weight_hh, out=of_hidden)
    return of_sums, of_shares
