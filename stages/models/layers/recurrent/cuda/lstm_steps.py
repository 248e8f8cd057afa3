"""The LSTM on a GPU: each step, forward or backward, is a matrix product and a Triton kernel."""

import torch
import triton
from triton import language as tl

BLOCK = 256


@triton.jit(do_not_specialize=["step"])
def forward_kernel(gates, bias, cells, states, step, size, count, BLOCK: tl.constexpr):
    """One step's gates (T, B, 4·H), in place, from sums without bias; cells, states: (T, B, H); count = B·H."""
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < count
    unit = offsets % size
    step = step.to(tl.int64) * count
    gate = gates + 4 * step + offsets // size * 4 * size + unit
    i = tl.sigmoid(tl.load(gate, mask) + tl.load(bias + unit, mask))
    f = tl.sigmoid(tl.load(gate + size, mask) + tl.load(bias + size + unit, mask))
    g = 2 * tl.sigmoid(2 * (tl.load(gate + 2 * size, mask) + tl.load(bias + 2 * size + unit, mask))) - 1
    o = tl.sigmoid(tl.load(gate + 3 * size, mask) + tl.load(bias + 3 * size + unit, mask))
    cell = f * tl.load(cells + step - count + offsets, mask & (step > 0), other=0.0) + i * g
    tl.store(gate, i, mask)
    tl.store(gate + size, f, mask)
    tl.store(gate + 2 * size, g, mask)
    tl.store(gate + 3 * size, o, mask)
    tl.store(cells + step + offsets, cell, mask)
    tl.store(states + step + offsets, o * (2 * tl.sigmoid(2 * cell) - 1), mask)


@triton.jit(do_not_specialize=["step"])
def backward_kernel(
    grad_states, grad_hidden, grad_cell, gates, cells, grad_sums, step, size, count, BLOCK: tl.constexpr
):
    """The gradients of one step's sums (T, B, 4·H); grad_hidden and grad_cell (B, H) come from the step after it."""
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < count
    step = step.to(tl.int64) * count
    row = 4 * step + offsets // size * 4 * size + offsets % size
    gate, out = gates + row, grad_sums + row
    i, f = tl.load(gate, mask), tl.load(gate + size, mask)
    g, o = tl.load(gate + 2 * size, mask), tl.load(gate + 3 * size, mask)
    squashed = 2 * tl.sigmoid(2 * tl.load(cells + step + offsets, mask)) - 1
    hidden = tl.load(grad_hidden + offsets, mask) + tl.load(grad_states + step + offsets, mask)
    cell = tl.load(grad_cell + offsets, mask) + hidden * o * (1 - squashed * squashed)
    before = tl.load(cells + step - count + offsets, mask & (step > 0), other=0.0)
    tl.store(out, cell * g * i * (1 - i), mask)
    tl.store(out + size, cell * before * f * (1 - f), mask)
    tl.store(out + 2 * size, cell * i * (1 - g * g), mask)
    tl.store(out + 3 * size, hidden * squashed * o * (1 - o), mask)
    tl.store(grad_cell + offsets, cell * f, mask)


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
