"""The cache of CUDA graphs, with recordings that run the function again in place of a GPU's replay."""

import pytest
import torch

from stages.models.layers.cuda.graphs import Graphs
from stages.models.layers.cuda.recording import Recording


class Rerun(Recording):
    def record(self, function):
        outputs = function(*self.inputs)

        def replay() -> None:
            for output, found in zip(outputs, function(*(each.clone() for each in self.inputs)), strict=True):
                output.copy_(found)

        return replay, outputs


def in_place(values: torch.Tensor, weight: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """As `read`: it overwrites its first input, which is also an output, and has one output twice."""
    product = values * weight
    return values.add_(1), product, product


@pytest.fixture
def graphs() -> Graphs:
    return Graphs(Rerun)


def test_outputs_stay_when_the_graph_runs_again_with_other_weights(graphs):
    values, weight = torch.ones(3), torch.full((3,), 2.0)
    first = graphs.run(in_place, values, weight)
    weight.mul_(2)
    second = graphs.run(in_place, values + 1, weight)
    assert [output.tolist() for output in first] == [[2.0] * 3, [2.0] * 3, [2.0] * 3]
    assert [output.tolist() for output in second] == [[3.0] * 3, [8.0] * 3, [8.0] * 3]
    assert first[1] is first[2]
    assert values.tolist() == [1.0] * 3
    assert len(graphs.recordings) == 1


def test_a_graph_recorded_in_inference_mode_serves_training(graphs):
    with torch.inference_mode():
        graphs.run(in_place, torch.ones(3), torch.ones(3))
    weight = torch.ones(3, requires_grad=True)
    output = graphs.run(in_place, torch.ones(3), weight.detach())[0]
    assert not output.is_inference()


def test_the_recordings_unused_for_longest_go_first():
    graphs = Graphs(Rerun, bound=120)  # a recording of n takes 3 tensors of 4·n bytes
    for size in (3, 4, 3, 5):
        graphs.run(in_place, torch.ones(size), torch.ones(size))
    assert [recording.inputs[0].numel() for recording in graphs.recordings.values()] == [3, 5]
    graphs.run(in_place, torch.ones(100), torch.ones(100))
    assert [recording.inputs[0].numel() for recording in graphs.recordings.values()] == [100]


def test_without_memory_for_a_graph_the_function_runs_as_it_is():
    def record(*_):
        raise torch.OutOfMemoryError("full")

    graphs = Graphs(record)
    assert graphs.run(in_place, torch.ones(2), torch.ones(2))[0].tolist() == [2.0, 2.0]
    assert not graphs.recordings
