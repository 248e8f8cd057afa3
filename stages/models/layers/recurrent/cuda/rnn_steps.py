"""The plain recurrence on a GPU: each step, forward or backward, is a matrix product and a Triton kernel."""

import torch
import triton
from triton import language as tl

BLOCK = 256


@triton.jit(do_not_specialize=["step"])
def forward_kernel(states, bias, step, size, count, BLOCK: tl.constexpr):
    """One step of the states (T, B, H), in place, from its sums without the bias; count = B·H."""
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < count
    state = states + step.to(tl.int64) * count + offsets
    total = tl.load(state, mask) + tl.load(bias + offsets % size, mask)
    tl.store(state, 2 * tl.sigmoid(2 * total) - 1, mask)


@triton.jit(do_not_specialize=["step"])
def backward_kernel(grad_states, grad_hidden, states, grad_sums, step, count, BLOCK: tl.constexpr):
    """The gradients of one step's sums (T, B, H); grad_hidden (B, H) comes from the step after it."""
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < count
    here = step.to(tl.int64) * count + offsets
    hidden = tl.load(grad_hidden + offsets, mask) + tl.load(grad_states + here, mask)
    state = tl.load(states + here, mask)
    tl.store(grad_sums + here, hidden * (1 - state * state), mask)


def forward_steps(sums: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """As `RNN.forward_steps`."""
    states = sums
    count = states[0].numel()
    for time in range(len(states)):
        if time:
            states[time].addmm_(states[time - 1], weight_hh.t())
        forward_kernel[(triton.cdiv(count, BLOCK),)](states, bias_hh, time, states.size(2), count, BLOCK)
    return (states,)


def backward_steps(
    grad_states: torch.Tensor, weight_hh: torch.Tensor, states: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """As `RNN.backward_steps`."""
    grad_sums, grad_hidden = torch.empty_like(states), torch.zeros_like(states[0])
    count = grad_hidden.numel()
    for time in reversed(range(len(states))):
        backward_kernel[(triton.cdiv(count, BLOCK),)](grad_states, grad_hidden, states, grad_sums, time, count, BLOCK)
        if time:
            torch.mm(grad_sums[time], weight_hh, out=grad_hidden)
    return grad_sums, grad_sums
