"""How much of a gradient is left, step by step, on its way back through a recurrence."""

import numpy as np
import torch
from scipy import stats
from torch import nn

from stages.models.cells import Recurrence

CELLS = {1: nn.RNNCell, 3: nn.GRUCell, 4: nn.LSTMCell}  # by their number of gates


def gradient_norms(recurrence: Recurrence, inputs: torch.Tensor, generator: torch.Generator) -> np.ndarray:
    """‖∂(v·h_T)/∂h_t‖ over ‖v‖ for a random v, at every step t of every sequence: (B, T).

    Torch's cells step through the same weights, since autograd then sees every state.

    inputs: (B, T, E)
    """
    cell = CELLS[recurrence.gates](inputs.size(2), recurrence.hidden_size, dtype=inputs.dtype)
    cell.load_state_dict(recurrence.state_dict())
    state, states = None, []
    for step in inputs.unbind(dim=1):
        state = cell(step, state)
        states.append(state[0] if isinstance(state, tuple) else state)
    direction = torch.randn(states[-1].shape, generator=generator, dtype=inputs.dtype)  # (B, H)
    gradients = torch.autograd.grad((states[-1] * direction).sum(), states)
    norms = torch.stack(gradients, dim=1).norm(dim=2) / direction.norm(dim=1, keepdim=True)  # (B, T)
    return norms.numpy()


def decay_rate(norms: np.ndarray, confidence: float) -> tuple[float, list[float]]:
    """By what factor the norm changes with every step further back, and the interval of that over the sequences.

    It is the slope of the norm's logarithm, fitted to each sequence: (B, T) norms, of which the last is the start.
    """
    steps = np.arange(norms.shape[1])
    slopes = np.polyfit(steps, np.log(norms.T), deg=1)[0]  # (B,), rising towards T
    mean, error = -slopes.mean(), stats.sem(slopes)
    outside = stats.t.ppf((1 + confidence) / 2, df=len(slopes) - 1) * error
    return float(np.exp(mean)), [float(np.exp(mean - outside)), float(np.exp(mean + outside))]
