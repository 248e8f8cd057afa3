"""The GRU on a GPU: each step, forward or backward, is a matrix product and a Triton kernel."""

import torch
import triton
from triton import language as tl

BLOCK = 256


@triton.jit(do_not_specialize=["step"])
def forward_kernel(gates, state_product, bias, recalled, states, step, size, count, BLOCK: tl.constexpr):
    """One step's gates (T, B, 3·H), in place, from W x + b; state_product is U h (B, 3·H); count = B·H."""
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < count
    unit = offsets % size
    row = offsets // size * 3 * size + unit
    step = step.to(tl.int64) * count
    gate, product = gates + 3 * step + row, state_product + row
    r = tl.sigmoid(tl.load(gate, mask) + (tl.load(product, mask) + tl.load(bias + unit, mask)))
    z = tl.sigmoid(tl.load(gate + size, mask) + (tl.load(product + size, mask) + tl.load(bias + size + unit, mask)))
    recall = tl.load(product + 2 * size, mask) + tl.load(bias + 2 * size + unit, mask)
    n = 2 * tl.sigmoid(2 * (tl.load(gate + 2 * size, mask) + r * recall)) - 1
    before = tl.load(states + step - count + offsets, mask & (step > 0), other=0.0)
    tl.store(gate, r, mask)
    tl.store(gate + size, z, mask)
    tl.store(gate + 2 * size, n, mask)
    tl.store(recalled + step + offsets, recall, mask)
    tl.store(states + step + offsets, n + z * (before - n), mask)


@triton.jit(do_not_specialize=["step"])
def backward_kernel(
    grad_states,
    grad_hidden,
    grad_direct,
    gates,
    recalled,
    states,
    grad_sums,
    grad_state_sums,
    step,
    size,
    count,
    BLOCK: tl.constexpr,
):
    """One step's gradients of W x + b and U h + b (T, B, 3·H).

    grad_hidden (B, H) comes from the step after it through U, grad_direct (B, H) through z·h.
    """
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < count
    step = step.to(tl.int64) * count
    row = 3 * step + offsets // size * 3 * size + offsets % size
    gate, grad_sum, grad_state_sum = gates + row, grad_sums + row, grad_state_sums + row
    r, z, n = tl.load(gate, mask), tl.load(gate + size, mask), tl.load(gate + 2 * size, mask)
    carried = tl.load(grad_hidden + offsets, mask) + tl.load(grad_direct + offsets, mask)
    hidden = carried + tl.load(grad_states + step + offsets, mask)
    before = tl.load(states + step - count + offsets, mask & (step > 0), other=0.0)
    grad_n = hidden * (1 - z) * (1 - n * n)
    grad_r = grad_n * tl.load(recalled + step + offsets, mask) * r * (1 - r)
    grad_z = hidden * (before - n) * z * (1 - z)
    tl.store(grad_sum, grad_r, mask)
    tl.store(grad_sum + size, grad_z, mask)
    tl.store(grad_sum + 2 * size, grad_n, mask)
    tl.store(grad_state_sum, grad_r, mask)
    tl.store(grad_state_sum + size, grad_z, mask)
    tl.store(grad_state_sum + 2 * size, grad_n * r, mask)
    tl.store(grad_direct + offsets, hidden * z, mask)


def forward_steps(sums: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """As `GRU.forward_steps`."""
    gates, size = sums, weight_hh.size(1)
    states = gates.new_empty(*gates.shape[:2], size)  # (T, B, H)
    recalled, state_product = torch.empty_like(states), torch.zeros_like(gates[0])
    count = states[0].numel()
    for time in range(len(states)):
        if time:
            torch.mm(states[time - 1], weight_hh.t(), out=state_product)
        tensors = gates, state_product, bias_hh, recalled, states
        forward_kernel[(triton.cdiv(count, BLOCK),)](*tensors, time, size, count, BLOCK)
    return states, gates, recalled


def backward_steps(grad_states, weight_hh, states, gates, recalled) -> tuple[torch.Tensor, torch.Tensor]:
    """As `GRU.backward_steps`."""
    grad_sums, grad_state_sums = torch.empty_like(gates), torch.empty_like(gates)
    grad_hidden, grad_direct = torch.zeros_like(states[0]), torch.zeros_like(states[0])
    count, size = grad_direct.numel(), grad_direct.size(1)
    for time in reversed(range(len(states))):
        tensors = grad_states, grad_hidden, grad_direct, gates, recalled, states, grad_sums, grad_state_sums
        backward_kernel[(triton.cdiv(count, BLOCK),)](*tensors, time, size, count, BLOCK)
        if time:
            torch.mm(grad_state_sums[time], weight_hh, out=grad_hidden)
    return grad_sums, grad_state_sums
