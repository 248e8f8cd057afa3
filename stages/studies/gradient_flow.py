"""How the norm of a gradient changes, step by step, on its way back through a recurrence."""

import numpy as np
import torch
from scipy import stats
from torch import nn

from stages.models.layers.recurrent.recurrence import Recurrence

CELLS = {1: nn.RNNCell, 3: nn.GRUCell, 4: nn.LSTMCell}  # by their number of gates


def gradient_norms(recurrence: Recurrence, inputs: torch.Tensor, generator: torch.Generator) -> np.ndarray:
    """‖∂(v·h_T)/∂s_t‖ over ‖v‖ for a random v, at every step t of every sequence: (B, T).

    s_t is all that a cell passes to the next step: h_t and, for an LSTM, also its cell state c_t, whose gradient passes
    through the forget gate. Torch's cells take the steps, with the same weights, so that autograd sees every state.

    inputs: (B, T, E)
    """
    cell = CELLS[recurrence.gates](inputs.size(2), recurrence.hidden_size, dtype=inputs.dtype)
    cell.load_state_dict(recurrence.state_dict())
    is_lstm = recurrence.gates == 4
    state = (inputs.new_zeros(len(inputs), recurrence.hidden_size),) * (1 + is_lstm)
    steps = []
    for step in inputs.unbind(dim=1):
        before = tuple(part.detach().requires_grad_() for part in state)  # for the gradient through s_t alone
        state = cell(step, before) if is_lstm else (cell(step, *before),)
        steps.append((before, state))
    direction = torch.randn(state[0].shape, generator=generator, dtype=inputs.dtype)  # (B, H)
    gradient = (direction, *(torch.zeros_like(part) for part in state[1:]))
    norms = [torch.cat(gradient, dim=1).norm(dim=1)]  # of s_T, (B,)
    for before, after in reversed(steps[1:]):
        gradient = torch.autograd.grad(after, before, gradient)
        norms.append(torch.cat(gradient, dim=1).norm(dim=1))
    return (torch.stack(norms[::-1], dim=1) / norms[0][:, None]).numpy()  # (B, T)


def decay_rate(norms: np.ndarray, confidence: float) -> dict[str, float | list[float]]:
    """The factor by which the norm changes with every step back, its interval over the sequences, and the fit's R².

    The factor comes from the slope of the norm's logarithm, fitted to each sequence's steps before the last. If R² is
    far below 1, the norm does not change by one factor.

    norms: (B, T)
    """
    logarithms = np.log(norms[:, :-1])
    fits = [stats.linregress(np.arange(logarithms.shape[1]), sequence) for sequence in logarithms]
    slopes = np.array([fit.slope for fit in fits])  # positive if the norm grows towards step T
    outside = stats.t.ppf((1 + confidence) / 2, df=len(slopes) - 1) * stats.sem(slopes)
    rate, low, high = np.exp([-slopes.mean(), -slopes.mean() - outside, -slopes.mean() + outside])
    explained = np.mean([fit.rvalue**2 for fit in fits])
    return {"rate": float(rate), "interval": [float(low), float(high)], "r_squared": float(explained)}
