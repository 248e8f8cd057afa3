"""The GRU's steps on a GPU: a product and one Triton kernel each, forward and backward."""

import torch
import triton
from triton import language as tl

BLOCK = 256


@triton.jit(do_not_specialize=["step"])
def forward_kernel(gates, state_share, bias, recalled, states, step, size, count, BLOCK: tl.constexpr):
    """The inputs' share (T, B, 3·H) → gates, in place, of one step; state_share is U h (B, 3·H); count = B·H."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = at < count
    unit = at % size
    row = at // size * 3 * size + unit
    step = step.to(tl.int64) * count
    gate, share = gates + 3 * step + row, state_share + row
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
    grad_states,
    grad_hidden,
    kept,
    gates,
    recalled,
    states,
    grad_sums,
    grad_shares,
    step,
    size,
    count,
    BLOCK: tl.constexpr,
):
    """The gradients of one step's two shares (T, B, 3·H); grad_hidden and kept, z's part of it, are (B, H)."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = at < count
    step = step.to(tl.int64) * count
    row = 3 * step + at // size * 3 * size + at % size
    gate, grad_sum, grad_share = gates + row, grad_sums + row, grad_shares + row
    r, z, n = tl.load(gate, there), tl.load(gate + size, there), tl.load(gate + 2 * size, there)
    hidden = tl.load(grad_hidden + at, there) + tl.load(kept + at, there) + tl.load(grad_states + step + at, there)
    before = tl.load(states + step - count + at, there & (step > 0), other=0.0)
    grad_n = hidden * (1 - z) * (1 - n * n)
    grad_r = grad_n * tl.load(recalled + step + at, there) * r * (1 - r)
    grad_z = hidden * (before - n) * z * (1 - z)
    tl.store(grad_sum, grad_r, there)
    tl.store(grad_sum + size, grad_z, there)
    tl.store(grad_sum + 2 * size, grad_n, there)
    tl.store(grad_share, grad_r, there)
    tl.store(grad_share + size, grad_z, there)
    tl.store(grad_share + 2 * size, grad_n * r, there)
    tl.store(kept + at, hidden * z, there)


def forward_steps(sums: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """As `GRU.forward_steps`."""
    gates, size = sums, weight_hh.size(1)
    states = gates.new_empty(*gates.shape[:2], size)  # (T, B, H)
    recalled, state_share = torch.empty_like(states), torch.zeros_like(gates[0])
    count = states[0].numel()
    for time in range(len(states)):
        if time:
            torch.mm(states[time - 1], weight_hh.t(), out=state_share)
        tensors = gates, state_share, bias_hh, recalled, states
        forward_kernel[(triton.cdiv(count, BLOCK),)](*tensors, time, size, count, BLOCK)
    return states, gates, recalled


def backward_steps(grad_states, weight_hh, states, gates, recalled) -> tuple[torch.Tensor, torch.Tensor]:
    """As `GRU.backward_steps`."""
    grad_sums, grad_shares = torch.empty_like(gates), torch.empty_like(gates)
    grad_hidden, kept = torch.zeros_like(states[0]), torch.zeros_like(states[0])
    count, size = kept.numel(), kept.size(1)
    for time in reversed(range(len(states))):
        tensors = grad_states, grad_hidden, kept, gates, recalled, states, grad_sums, grad_shares
        backward_kernel[(triton.cdiv(count, BLOCK),)](*tensors, time, size, count, BLOCK)
        if time:
            torch.mm(grad_shares[time], weight_hh, out=grad_hidden)
    return grad_sums, grad_shares
