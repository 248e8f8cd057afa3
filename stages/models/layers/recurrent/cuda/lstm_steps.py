"""The LSTM's steps on a GPU: a product and one Triton kernel each, forward and backward."""

import torch
import triton
from triton import language as tl

BLOCK = 256


@triton.jit(do_not_specialize=["step"])
def forward_kernel(gates, bias, cells, states, step, size, count, BLOCK: tl.constexpr):
    """Sums without bias (T, B, 4·H) → gates, in place, of one step; its cells and states (T, B, H); count = B·H."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = at < count
    unit = at % size
    step = step.to(tl.int64) * count
    gate = gates + 4 * step + at // size * 4 * size + unit
    i = tl.sigmoid(tl.load(gate, there) + tl.load(bias + unit, there))
    f = tl.sigmoid(tl.load(gate + size, there) + tl.load(bias + size + unit, there))
    g = 2 * tl.sigmoid(2 * (tl.load(gate + 2 * size, there) + tl.load(bias + 2 * size + unit, there))) - 1
    o = tl.sigmoid(tl.load(gate + 3 * size, there) + tl.load(bias + 3 * size + unit, there))
    cell = f * tl.load(cells + step - count + at, there & (step > 0), other=0.0) + i * g
    tl.store(gate, i, there)
    tl.store(gate + size, f, there)
    tl.store(gate + 2 * size, g, there)
    tl.store(gate + 3 * size, o, there)
    tl.store(cells + step + at, cell, there)
    tl.store(states + step + at, o * (2 * tl.sigmoid(2 * cell) - 1), there)


@triton.jit(do_not_specialize=["step"])
def backward_kernel(
    grad_states, grad_hidden, grad_cell, gates, cells, grad_sums, step, size, count, BLOCK: tl.constexpr
):
    """The gradients of one step's sums (T, B, 4·H); grad_hidden and grad_cell (B, H) come from the step after it."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = at < count
    step = step.to(tl.int64) * count
    row = 4 * step + at // size * 4 * size + at % size
    gate, out = gates + row, grad_sums + row
    i, f = tl.load(gate, there), tl.load(gate + size, there)
    g, o = tl.load(gate + 2 * size, there), tl.load(gate + 3 * size, there)
    squashed = 2 * tl.sigmoid(2 * tl.load(cells + step + at, there)) - 1
    hidden = tl.load(grad_hidden + at, there) + tl.load(grad_states + step + at, there)
    cell = tl.load(grad_cell + at, there) + hidden * o * (1 - squashed * squashed)
    before = tl.load(cells + step - count + at, there & (step > 0), other=0.0)
    tl.store(out, cell * g * i * (1 - i), there)
    tl.store(out + size, cell * before * f * (1 - f), there)
    tl.store(out + 2 * size, cell * i * (1 - g * g), there)
    tl.store(out + 3 * size, hidden * squashed * o * (1 - o), there)
    tl.store(grad_cell + at, cell * f, there)


def forward_steps(sums: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """As `LSTM.forward_steps`, but tanh(c) is not kept."""
    gates, size = sums, weight_hh.size(1)
    states = gates.new_empty(*gates.shape[:2], size)  # (T, B, H)
    cells = torch.empty_like(states)
    count = states[0].numel()
    grid = (triton.cdiv(count, BLOCK),)
    for time in range(len(states)):
        if time:
            gates[time].addmm_(states[time - 1], weight_hh.t())
        forward_kernel[grid](gates, bias_hh, cells, states, time, size, count, BLOCK)
    return states, gates, cells


def backward_steps(
    grad_states: torch.Tensor, weight_hh: torch.Tensor, states: torch.Tensor, gates: torch.Tensor, cells: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """As `LSTM.backward_steps`."""
    grad_sums = torch.empty_like(gates)
    grad_hidden, grad_cell = torch.zeros_like(cells[0]), torch.zeros_like(cells[0])
    count = grad_cell.numel()
    grid = (triton.cdiv(count, BLOCK),)
    for time in reversed(range(len(cells))):
        backward_kernel[grid](
            grad_states, grad_hidden, grad_cell, gates, cells, grad_sums, time, cells.size(2), count, BLOCK
        )
        if time:
            torch.mm(grad_sums[time], weight_hh, out=grad_hidden)
    return grad_sums, grad_sums
