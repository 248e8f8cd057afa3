"""Forward and backward of the hand-written recurrences against torch's own, on the same padded input.

Run it with `make bench`. The two take turns and each pair gives a ratio, so that a machine that slows
down for a while slows both; the median of the ratios is printed.
"""

import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

from stages.models.gru_cell import GRU
from stages.models.lstm_cell import LSTM
from stages.models.rnn_cell import RNN

SHAPES = [(20, 128, 128, 128), (50, 128, 256, 256), (200, 64, 300, 256)]  # T, B, E, H
PAIRS = 7


def seconds(module: nn.Module, inputs: torch.Tensor, states_of: Callable) -> float:
    start = time.perf_counter()
    states_of(module(inputs)).sum().backward()
    return time.perf_counter() - start


def ratio(ours: nn.Module, theirs: nn.Module, inputs: torch.Tensor) -> float:
    """The median, over pairs of runs, of our time over torch's; the first pair only warms up."""
    pairs = [
        seconds(ours, inputs, lambda states: states) / seconds(theirs, inputs, lambda outputs: outputs[0])
        for _ in range(PAIRS + 1)
    ]
    return statistics.median(pairs[1:])


def main() -> None:
    print(f"{'(T, B, E, H)':22}" + "".join(f"{cell:>8}" for cell in ("RNN", "LSTM", "GRU")))
    for time_steps, batch, size, hidden in SHAPES:
        inputs = torch.randn(batch, time_steps, size, requires_grad=True)
        ratios = [
            ratio(ours(size, hidden), theirs(size, hidden, batch_first=True), inputs)
            for ours, theirs in ((RNN, nn.RNN), (LSTM, nn.LSTM), (GRU, nn.GRU))
        ]
        print(f"{(time_steps, batch, size, hidden)!s:22}" + "".join(f"{value:8.2f}" for value in ratios), flush=True)


if __name__ == "__main__":
    main()
