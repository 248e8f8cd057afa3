"""Forward and backward of the hand-written recurrences against torch's own: padded, and with true lengths."""

from collections.abc import Callable, Iterator

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks.timing import Row, ratio
from stages.models.layers.bidirectional import Bidirectional
from stages.models.layers.gru_cell import GRU
from stages.models.layers.lstm_cell import LSTM
from stages.models.layers.recurrent.recurrence import Recurrence
from stages.models.layers.rnn_cell import RNN

SHAPES = [(20, 128, 128, 128), (50, 128, 256, 256), (200, 64, 300, 256)]  # T, B, E, H
CELLS: list[tuple[type[Recurrence], type[nn.RNNBase]]] = [(RNN, nn.RNN), (LSTM, nn.LSTM), (GRU, nn.GRU)]
PAIRS = 7


def backward_of(states_of: Callable[[], torch.Tensor]) -> Callable[[], None]:
    return lambda: states_of().sum().backward()


def padded(ours: nn.Module, theirs: nn.Module, inputs: torch.Tensor) -> float:
    return ratio(backward_of(lambda: ours(inputs)), backward_of(lambda: theirs(inputs)[0]), PAIRS)


def packed(ours: Bidirectional, theirs: nn.Module, inputs: torch.Tensor, lengths: torch.Tensor) -> float:
    """Both directions, each sequence read at its own length."""

    def packed_states() -> torch.Tensor:
        sequences = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(theirs(sequences)[0], batch_first=True)[0]

    return ratio(backward_of(lambda: ours(inputs, lengths)), backward_of(packed_states), PAIRS)


def rows() -> Iterator[Row]:
    for time, batch, size, hidden in SHAPES:
        inputs = torch.randn(batch, time, size, requires_grad=True)
        lengths = torch.randint(time // 2, time + 1, (batch,))
        for ours, theirs in CELLS:
            name = f"{ours.__name__} {(time, batch, size, hidden)}, forward + backward"
            pair = ours(size, hidden), theirs(size, hidden, batch_first=True)
            yield Row(name, f"nn.{theirs.__name__}", padded(*pair, inputs), 1.2)
            both = Bidirectional(ours(size, hidden), ours(size, hidden))
            measured = packed(both, theirs(size, hidden, batch_first=True, bidirectional=True), inputs, lengths)
            yield Row(f"{name}, both directions, true lengths", f"nn.{theirs.__name__}, packed", measured, 1.0)
