"""Parity: the hand-written recurrences against torch's own, in outputs and gradients."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from stages.models.layers.bidirectional import Bidirectional, reverse_within_lengths
from stages.models.layers.gru_cell import GRU
from stages.models.layers.lstm_cell import LSTM
from stages.models.layers.recurrent.recurrence import Recurrence
from stages.models.layers.rnn_cell import RNN

CELLS = [(RNN, nn.RNN), (LSTM, nn.LSTM), (GRU, nn.GRU)]
TOLERANCE = {"atol": 1e-5, "rtol": 1e-5}
NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
LENGTHS = torch.tensor([7, 5, 3, 1])


def copy_weights(ours: Recurrence, reference: nn.Module, suffix: str) -> None:
    with torch.no_grad():
        for name in NAMES:
            getattr(ours, name).copy_(getattr(reference, name + suffix))


@pytest.mark.parametrize("time", [1, 2, 7])
@pytest.mark.parametrize(("ours", "reference"), CELLS)
def test_states_and_gradients_equal_torchs(ours, reference, time):
    torch.manual_seed(1)
    theirs = reference(5, 6, batch_first=True)
    mine = ours(5, 6)
    copy_weights(mine, theirs, "_l0")
    inputs = torch.randn(4, time, 5, requires_grad=True)
    weights = torch.randn(4, time, 6)

    states, expected = mine(inputs), theirs(inputs)[0]
    torch.testing.assert_close(states, expected, **TOLERANCE)

    gradients = torch.autograd.grad((states * weights).sum(), [inputs, *(getattr(mine, name) for name in NAMES)])
    references = [inputs, *(getattr(theirs, f"{name}_l0") for name in NAMES)]
    expected_gradients = torch.autograd.grad((theirs(inputs)[0] * weights).sum(), references)
    for gradient, expected in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(gradient, expected, **TOLERANCE)


@pytest.mark.parametrize(("ours", "reference"), CELLS)
def test_two_bidirectional_layers_equal_torchs_on_packed_sequences(ours, reference):
    torch.manual_seed(1)
    theirs = reference(5, 6, num_layers=2, bidirectional=True, batch_first=True)
    layers = [Bidirectional(ours(size, 6), ours(size, 6)) for size in (5, 12)]
    for number, layer in enumerate(layers):
        copy_weights(layer.forward_recurrence, theirs, f"_l{number}")
        copy_weights(layer.backward_recurrence, theirs, f"_l{number}_reverse")
    inputs = torch.randn(4, 7, 5)
    packed = pack_padded_sequence(inputs, LENGTHS, batch_first=True)
    expected, _ = pad_packed_sequence(theirs(packed)[0], batch_first=True)

    states = layers[1](layers[0](inputs, LENGTHS), LENGTHS)

    for row, length in enumerate(LENGTHS):
        torch.testing.assert_close(states[row, :length], expected[row, :length], **TOLERANCE)


def test_reversal_leaves_padding_after_the_sequence():
    sequences = torch.tensor([[[1.0], [2.0], [3.0], [0.0]], [[4.0], [0.0], [0.0], [0.0]]])
    reversed_sequences = reverse_within_lengths(sequences, torch.tensor([3, 1]))
    assert reversed_sequences[:, :, 0].tolist() == [[3, 2, 1, 0], [4, 0, 0, 0]]


def test_forget_gate_starts_open():
    lstm = LSTM(3, 4, forget_bias=2.0)
    assert (lstm.bias_ih + lstm.bias_hh)[4:8].tolist() == [2.0] * 4


@pytest.mark.parametrize("recurrence", [RNN, LSTM, GRU])
def test_recurrent_weights_start_orthogonal_gate_by_gate(recurrence):
    torch.manual_seed(1)
    for weight in recurrence(3, 8).weight_hh.chunk(recurrence.gates):
        torch.testing.assert_close(weight @ weight.T, torch.eye(8), **TOLERANCE)
