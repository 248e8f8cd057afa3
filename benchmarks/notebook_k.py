"""How notebook K trains: rows in file order, padded as Python lists, and cells recorded by autograd."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import nn

from stages.training.inputs import PADDING


def batches(ids: list[list[int]], labels: list[int], size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Batches as long as their longest row; padding follows the words of shorter rows."""
    for start in range(0, len(ids), size):
        rows = ids[start : start + size]
        longest = max(len(row) for row in rows)
        padded = [row + [PADDING] * (longest - len(row)) for row in rows]
        yield torch.tensor(padded), torch.tensor(labels[start : start + size])


class Cell(nn.Module):
    """An LSTM with a layer for each gate on the concatenated input and state, (B, T, E) → (B, T, H)."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.hidden_size = hidden_size
        self.gates = nn.ModuleList(nn.Linear(input_size + hidden_size, hidden_size) for _ in range(4))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        state = cell = inputs.new_zeros(len(inputs), self.hidden_size)
        states = []
        for time in range(inputs.size(1)):
            both = torch.cat([inputs[:, time], state], dim=1)
            i, f, g, o = (gate(both) for gate in self.gates)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            state = torch.sigmoid(o) * torch.tanh(cell)
            states.append(state)
        return torch.stack(states, dim=1)


class BothDirections(nn.Module):
    """Two cells, one of which reads the padded batch backwards, (B, T, E) → (B, T, 2·H)."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.forwards, self.backwards = Cell(input_size, hidden_size), Cell(input_size, hidden_size)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.forwards(inputs), self.backwards(inputs.flip(1)).flip(1)], dim=2)


class Network(nn.Module):
    """Words → some layers → pooling that includes padding → logits."""

    def __init__(self, vocabulary_size: int, embedding_size: int, layers: nn.Module, pooling: Callable, width: int):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.layers, self.pooling = layers, pooling
        self.output = nn.Linear(width, 2)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.output(self.pooling(self.layers(self.embedding(ids))))


def mean(states: torch.Tensor) -> torch.Tensor:
    return states.mean(dim=1)


def last(states: torch.Tensor) -> torch.Tensor:
    return states[:, -1]


def final(states: torch.Tensor) -> torch.Tensor:
    """The last state of the forward direction and the first of the backward one: (B, T, 2·H) → (B, 2·H)."""
    forwards, backwards = states.chunk(2, dim=2)
    return torch.cat([forwards[:, -1], backwards[:, 0]], dim=1)


def network(name: str, vocabulary_size: int, embedding_size: int, hidden_size: int) -> Network:
    """Notebook K's average of word vectors, LSTM, or two layers of LSTMs in both directions, in given sizes."""
    E, H = embedding_size, hidden_size  # noqa: N806
    layers, pooling, width = {
        "average": lambda: (nn.Sequential(nn.Linear(E, H), nn.ReLU()), mean, H),
        "lstm": lambda: (Cell(E, H), last, H),
        "bilstm": lambda: (nn.Sequential(BothDirections(E, H), BothDirections(2 * H, H)), final, 2 * H),
    }[name]()
    return Network(vocabulary_size, E, layers, pooling, width)


def train_epoch(
    model: Network, optimizer: torch.optim.Optimizer, ids: list[list[int]], labels: list[int], size: int
) -> None:
    for rows, classes in batches(ids, labels, size):
        loss = F.cross_entropy(model(rows), classes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
