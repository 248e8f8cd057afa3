"""Parity of the recurrences' Triton kernels with the steps in torch; without a GPU, Triton interprets them."""

import os

import pytest
import torch
from torch import nn

from stages.models.layers.gru_cell import GRU
from stages.models.layers.lstm_cell import LSTM
from stages.models.layers.recurrent import recurrence
from stages.models.layers.rnn_cell import RNN

GPU = torch.cuda.is_available()
if not GPU:
    os.environ.setdefault("TRITON_INTERPRET", "1")  # before Triton is imported
pytest.importorskip("triton", reason="Triton is not installed: it comes with torch for CUDA")

from stages.models.layers.recurrent.cuda.kernels import persistent, step_by_step  # noqa: E402

DEVICE = "cuda" if GPU else "cpu"
SHAPES = [(1, 1, 1), (1, 3, 5), (7, 1, 6), (5, 3, 130), (3, 33, 20)]  # T, B, H
if GPU:
    SHAPES += [(9, 70, 128), (6, 128, 256)]
needs_gpu = pytest.mark.skipif(not GPU, reason="no GPU")
WAYS = {"a kernel a step": step_by_step, "one kernel": persistent}


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found.double(), expected, atol=2e-6, rtol=2e-6)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("cell", [RNN, LSTM, GRU])
@pytest.mark.parametrize("way", WAYS)
def test_states_and_gradients_equal_those_of_the_steps_in_torch(way, cell, shape):
    time, batch, size = shape
    torch.manual_seed(1)
    sums = torch.randn(time, batch, cell.gates * size, device=DEVICE)
    weight, bias = (torch.randn(cell.gates * size, *rest, device=DEVICE) / (2 * size**0.5) for rest in ((size,), ()))
    grad_states = torch.randn(1, device=DEVICE).expand(time, batch, size)  # strides of 0, as from a sum
    kernels = WAYS[way](cell.__name__)
    expected = cell.forward_steps(sums.double(), weight.double(), bias.double())
    expected_gradients = cell.backward_steps(grad_states.double(), weight.double(), *expected)
    states, *kept = kernels.forward_steps(sums.clone(), weight, bias)
    close(states, expected[0])
    gradients = kernels.backward_steps(grad_states, weight, states, *kept)
    for found, reference in zip(gradients, expected_gradients, strict=True):
        close(found, reference)


@needs_gpu
@pytest.mark.parametrize(("ours", "reference"), [(RNN, nn.RNN), (LSTM, nn.LSTM), (GRU, nn.GRU)])
@pytest.mark.parametrize("way", WAYS)
def test_two_layers_learn_as_torchs_do(monkeypatch, way, ours, reference):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    monkeypatch.setattr(recurrence, "steps_of", lambda cell, _: WAYS[way](cell.__name__))
    torch.manual_seed(1)
    theirs = reference(64, 64, num_layers=2, batch_first=True).cuda()
    mine = nn.Sequential(ours(64, 64), ours(64, 64)).cuda()
    with torch.no_grad():
        for number, layer in enumerate(mine):
            for parameter, value in layer.named_parameters():
                value.copy_(getattr(theirs, f"{parameter}_l{number}"))
    inputs = torch.randn(8, 9, 64, device="cuda")
    with torch.inference_mode():
        torch.testing.assert_close(mine(inputs), theirs(inputs)[0], atol=1e-5, rtol=1e-5)
    optimizers = [torch.optim.SGD(model.parameters(), lr=0.1) for model in (mine, theirs)]
    for _ in range(3):
        states, expected = mine(inputs), theirs(inputs)[0]
        torch.testing.assert_close(states, expected, atol=1e-5, rtol=1e-5)
        for output, optimizer in zip((states, expected), optimizers, strict=True):
            optimizer.zero_grad()
            output.square().sum().backward()
            optimizer.step()
