"""The long short-term memory, forward and backward.

Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735, with the forget gate of Gers et al. 2000,
https://doi.org/10.1162/089976600300015015. With the gates i, f, o = σ(W x + U h + b) and the candidate
g = tanh(W x + U h + b), the next cell state is c' = f·c + i·g and the next state h' = o·tanh(c').
"""

import torch
from torch import nn

from stages.models.layers.recurrent.matrix_products import linear, tanh_
from stages.models.layers.recurrent.recurrence import Recurrence

sigmoid_backward, tanh_backward = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward


class LSTM(Recurrence):
    gates = 4

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0):
        super().__init__(input_size, hidden_size)
        # A positive bias keeps the cell state until training has learned what to forget:
        # https://proceedings.mlr.press/v37/jozefowicz15.html
        nn.init.constant_(self.bias_ih[hidden_size : 2 * hidden_size], forget_bias)

    @staticmethod
    def forward_steps(sums: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor) -> tuple[torch.Tensor, ...]:
        gates = sums
        states = gates.new_empty(*gates.shape[:2], weight_hh.size(1))  # (T, B, H)
        cells, squashed = torch.empty_like(states), torch.empty_like(states)  # c and tanh(c)
        for time, all_gates in enumerate(gates):
            all_gates.add_(linear(states[time - 1], weight_hh, bias_hh) if time else bias_hh)
            i, f, g, o = all_gates.chunk(4, dim=1)  # (B, 4·H) → 4 × (B, H)
            g.mul_(2)  # tanh(x) = 2σ(2x) − 1, so that one sigmoid serves all gates
            all_gates.sigmoid_()
            g.mul_(2).sub_(1)
            torch.mul(i, g, out=cells[time])
            if time:
                cells[time].addcmul_(f, cells[time - 1])
            torch.mul(o, tanh_(squashed[time].copy_(cells[time])), out=states[time])
        return states, gates, cells, squashed

    @staticmethod
    def backward_steps(
        grad_states: torch.Tensor,
        weight_hh: torch.Tensor,
        states: torch.Tensor,
        gates: torch.Tensor,
        cells: torch.Tensor,
        squashed: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        grad_sums = torch.empty_like(gates)
        grad_hidden, grad_cell, nothing = (torch.zeros_like(states[0]) for _ in range(3))
        size = 2 * states.size(2)
        for time in reversed(range(len(states))):
            i, f, g, o = gates[time].chunk(4, dim=1)
            grad_i, grad_f, grad_g, grad_o = grad_sums[time].chunk(4, dim=1)
            grad_hidden.add_(grad_states[time])
            grad_cell.add_(tanh_backward(grad_hidden * o, squashed[time]))
            torch.mul(grad_cell, g, out=grad_i)
            torch.mul(grad_cell, cells[time - 1] if time else nothing, out=grad_f)
            torch.mul(grad_cell, i, out=grad_g)
            torch.mul(grad_hidden, squashed[time], out=grad_o)
            grad_i_and_f, i_and_f = grad_sums[time, :, :size], gates[time, :, :size]
            sigmoid_backward.grad_input(grad_i_and_f, i_and_f, grad_input=grad_i_and_f)
            sigmoid_backward.grad_input(grad_o, o, grad_input=grad_o)
            tanh_backward.grad_input(grad_g, g, grad_input=grad_g)
            grad_hidden = linear(grad_sums[time], weight_hh.t())
            grad_cell.mul_(f)
        return grad_sums, grad_sums
