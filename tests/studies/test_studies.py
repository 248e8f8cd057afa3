"""What the studies measure: attention against naive references, gradients through time, notebook K's recipe."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

from stages import repeat_notebook
from stages.common.command import InputError
from stages.models.layers.gru_cell import GRU
from stages.models.layers.lstm_cell import LSTM
from stages.models.layers.rnn_cell import RNN
from stages.models.layers.self_attention import linear_attention, positions, softmax_attention
from stages.scoring.predictions import read_predictions
from stages.scoring.text_subsets import text_subsets
from stages.studies.derivations import alternating_sum, attention_by_means, cross_entropy_is_likelihood, parameters
from stages.studies.gradient_flow import decay_rate, gradient_norms
from stages.studies.memory_task import SYMBOLS, draw
from stages.training.sequences import Sequences


def attention_inputs() -> tuple[torch.Tensor, ...]:
    torch.manual_seed(1)
    words = torch.arange(7) < torch.tensor([7, 4, 1])[:, None]
    return *torch.randn(3, 3, 7, 5, dtype=torch.float64), words


def test_softmax_attention_is_torchs():
    queries, keys, values, words = attention_inputs()
    expected = F.scaled_dot_product_attention(queries, keys, values, attn_mask=words[:, None].expand(-1, 7, -1))
    torch.testing.assert_close(softmax_attention(queries, keys, values, words), expected)


def test_linear_attention_is_the_sum_over_all_pairs():
    queries, keys, values, words = attention_inputs()
    found = linear_attention(queries, keys, values, words)
    for row in range(3):
        for i in range(7):
            weights = [
                float((F.elu(queries[row, i]) + 1) @ (F.elu(keys[row, j]) + 1)) for j in range(7) if words[row, j]
            ]
            naive = sum(w * values[row, j] for j, w in enumerate(weights)) / sum(weights)
            torch.testing.assert_close(found[row, i], naive)


@pytest.mark.parametrize("size", [4, 5])
def test_positions_are_sines_and_cosines_of_falling_frequencies(size):
    found = positions(9, size, torch.device("cpu"))
    assert found.shape == (9, size)
    assert found[3, 0] == pytest.approx(math.sin(3))
    assert found[3, 1] == pytest.approx(math.cos(3))
    assert found[3, 2] == pytest.approx(math.sin(3 / 10_000 ** (2 / size)))


@pytest.mark.parametrize("cell", [RNN, LSTM, GRU])
def test_the_gradient_is_whole_at_the_last_state_and_not_zero_at_the_first(cell):
    torch.manual_seed(1)
    norms = gradient_norms(cell(4, 6).double(), torch.randn(2, 5, 4).double(), torch.Generator().manual_seed(1))
    assert norms[:, -1] == pytest.approx([1, 1])
    assert (norms > 0).all() and norms.shape == (2, 5)


def test_one_step_back_is_the_derivative_on_paper():
    """The derivative of h' = tanh(W x + U h + b) by h, in a direction v, is Uᵀ (v · (1 − h'²))."""
    torch.manual_seed(1)
    recurrence, inputs = RNN(4, 6).double(), torch.randn(2, 5, 4).double()
    norms = gradient_norms(recurrence, inputs, torch.Generator().manual_seed(1))
    direction = torch.randn(2, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    last = recurrence(inputs)[:, -1].detach()
    derivative = direction * (1 - last**2) @ recurrence.weight_hh.detach()
    expected = derivative.norm(dim=1) / direction.norm(dim=1)
    assert norms[:, -2] == pytest.approx(expected.numpy())


def test_a_linear_recurrence_decays_at_the_rate_of_its_matrix():
    recurrence = RNN(2, 8).double()
    with torch.no_grad():
        recurrence.weight_hh.mul_(0.9)  # orthogonal: every step back multiplies the norm by 0.9
        recurrence.weight_ih.zero_()
    norms = gradient_norms(recurrence, torch.zeros(4, 30, 2, dtype=torch.float64), torch.Generator().manual_seed(1))
    fitted = decay_rate(norms, 0.95)
    assert fitted["rate"] == pytest.approx(0.9, abs=1e-6)
    assert fitted["interval"][0] <= fitted["rate"] <= fitted["interval"][1]
    assert fitted["r_squared"] == pytest.approx(1)


def test_an_open_forget_gate_passes_the_gradient_on_through_the_cell_state():
    recurrence = LSTM(2, 8, forget_bias=20).double()  # σ(20) is 1
    with torch.no_grad():
        recurrence.weight_hh.zero_()
        recurrence.weight_ih.zero_()
    norms = gradient_norms(recurrence, torch.zeros(4, 30, 2, dtype=torch.float64), torch.Generator().manual_seed(1))
    assert decay_rate(norms, 0.95)["rate"] == pytest.approx(1, abs=1e-6)


def test_the_memory_tasks_answer_is_the_first_symbol_and_in_no_other_place():
    inputs, first = draw(50, 9, torch.Generator().manual_seed(1))
    symbols = inputs.argmax(dim=2)
    assert (symbols[:, 0] == first).all() and (first < SYMBOLS).all()
    assert (symbols[:, 1:] >= SYMBOLS).all()


class Recorder(torch.nn.Module):
    """Records the rows that it gets; its logits are constant."""

    def __init__(self):
        super().__init__()
        self.bias = torch.nn.Parameter(torch.zeros(2))
        self.seen = []

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        self.seen.append((ids[:, 0].tolist(), lengths.tolist()))
        return self.bias.expand(len(ids), 2)


@pytest.mark.parametrize(("aligned", "order"), [(True, [2, 3, 4]), (False, [3, 4, 2])])
def test_the_notebooks_loop_sorts_the_rows_and_leaves_the_labels(monkeypatch, aligned, order):
    rows = Sequences.of([[2], [3, 3, 3], [4, 4]])
    model = Recorder()
    labels = []
    monkeypatch.setattr(
        repeat_notebook.F, "cross_entropy", lambda logits, given: labels.append(given.tolist()) or logits.sum()
    )
    rows.labels[:] = [0, 1, 0]
    repeat_notebook.train_epoch(model, torch.optim.SGD(model.parameters(), lr=0.1), rows, 3, aligned)
    assert model.seen[0][0] == order
    assert labels == [[0, 1, 0]]


def test_rows_of_all_splits_but_test_come_in_the_files_order():
    train, valid = Sequences.of([[5, 5], [7]]), Sequences.of([[6]])
    train.ids[:], valid.ids[:] = ["a:2", "a:10"], ["a:9"]
    joined = repeat_notebook.in_file_order({"train": train, "valid": valid, "test": valid})
    assert joined.ids.tolist() == ["a:2", "a:9", "a:10"]
    assert joined.tokens.tolist() == [5, 5, 6, 7]
    assert joined.offsets.tolist() == [0, 2, 3, 4]


def test_texts_fall_into_groups():
    words = pd.Series(
        [["a"], ["a", "b"], ["not", "a", "x"], ["a", "do", "n't", "b"], ["a"] * 99 + ["x"]], index=list("abcde")
    )
    kinds = text_subsets(words, {"a", "b", "not", "do", "n't"})
    assert kinds["negation"].tolist() == ["not negated", "not negated", "negated", "negated", "not negated"]
    assert kinds["unknown words"].tolist() == ["none", "none", "more", "none", "up to 2%"]
    assert kinds["length"].tolist() == [
        "1 to 2 words",
        "1 to 2 words",
        "3 to 3 words",
        "4 to 4 words",
        "100 to 100 words",
    ]
    apart = pd.Series([["don", "'", "t"], ["t", "-", "shirt"]])
    assert text_subsets(apart, set())["negation"].tolist() == ["negated", "not negated"]
    alike = text_subsets(pd.Series([["a"], ["b"]]), {"a"})["length"]
    assert alike.tolist() == ["1 to 1 words"] * 2


def test_what_the_notebooks_derive_holds():
    rng = np.random.default_rng(2)
    entropy, sums, attention = cross_entropy_is_likelihood(rng), alternating_sum(rng), attention_by_means(rng)
    assert entropy["largest_difference"] < 1e-12
    assert (entropy["log_softmax_1000_apart"], entropy["log_of_softmax_1000_apart_is_finite"]) == (-1000, False)
    assert sums["largest_difference"] < 1e-10 and sums["fires_as_the_sums_say"] == 1
    assert attention["rows_differ_as_written"] > 0.01
    assert attention["rows_differ_made_linear"] < 1e-12 and attention["without_query_against_with"] < 1e-12
    assert parameters() == {"trainable": 2_759_169, "all": 112_241_409}


def test_predictions_of_three_classes_and_two_runs_come_back(tmp_path):
    table = {"split": ["test"] * 2 + ["valid"], "id": ["b", "a", "c"], "label": [1, 0, 2]}
    table |= {"probability_good_1": [0.5, 0.2, 0], "probability_good_2": [0.4, 0.1, 0]}
    table |= {"probability_fair_1": [0.25, 0.5, 0], "probability_fair_2": [0.2, 0.3, 0]}
    pd.DataFrame(table).to_parquet(tmp_path / "x.parquet")
    found = read_predictions(tmp_path, ["x"], "test", ["bad", "good", "fair"])["x"]
    assert found.ids.tolist() == ["a", "b"]
    assert found.labels.tolist() == [0, 1]
    np.testing.assert_allclose(found.probabilities[0], [[0.3, 0.2, 0.5], [0.25, 0.5, 0.25]])
    assert found.correct.tolist() == [[False, True], [True, True]]
    with pytest.raises(InputError, match=r"y\.parquet is missing"):
        read_predictions(tmp_path, ["y"], "test", ["bad", "good"])
    with pytest.raises(InputError, match="has no test rows of bad, better"):
        read_predictions(tmp_path, ["x"], "test", ["bad", "better"])
