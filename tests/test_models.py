"""Every model: padding never changes a prediction, and eight examples can be learned by heart."""

import importlib
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from stages.lib import params
from stages.lib.vocabulary import PADDING, UNKNOWN
from stages.models.embedding import WordEmbedding
from stages.models.pooling import POOLINGS

ROOT = Path(__file__).parent.parent
MODELS = params.load(ROOT / "params.yaml")["models"]
WORDS = 50


def build(name: str, **changes: object) -> torch.nn.Module:
    torch.manual_seed(1)
    architecture = MODELS[name]["architecture"] | {"embedding_size": 16, "hidden_size": 12} | changes
    return importlib.import_module(f"stages.models.{name}").Classifier(WORDS, 2, **architecture)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    lengths = torch.tensor([6, 4, 4, 1, 5, 3, 2, 6])
    ids = torch.randint(2, WORDS, (8, 6), generator=torch.Generator().manual_seed(1))
    return ids.masked_fill(torch.arange(6) >= lengths[:, None], PADDING), lengths


def poolings_of(name: str) -> list[dict]:
    return [{"pooling": pooling} for pooling in POOLINGS] if "pooling" in MODELS[name]["architecture"] else [{}]


@pytest.mark.parametrize(("name", "changes"), [(name, changes) for name in MODELS for changes in poolings_of(name)])
def test_padding_changes_no_logit_and_no_gradient(name, changes):
    model = build(name, **changes).eval()
    ids, lengths = batch()
    padded = F.pad(ids, (0, 5), value=PADDING)

    outcomes = []
    for tokens in (ids, padded):
        logits = model(tokens, lengths)
        gradients = torch.autograd.grad(F.cross_entropy(logits, torch.arange(8) % 2), list(model.parameters()))
        outcomes.append([logits, *gradients])

    for tight, loose in zip(*outcomes, strict=True):
        torch.testing.assert_close(tight, loose, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_a_row_is_scored_alike_alone_and_in_company(name):
    model = build(name).eval()
    ids, lengths = batch()
    together = model(ids, lengths)
    for row, length in enumerate(lengths):
        alone = model(ids[row : row + 1, :length], lengths[row : row + 1])
        torch.testing.assert_close(alone, together[row : row + 1], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_eight_examples_are_learned_by_heart(name):
    model = build(name)
    ids, lengths = batch()
    labels = torch.tensor([0, 1, 1, 0, 1, 0, 0, 1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(300):
        optimizer.zero_grad()
        F.cross_entropy(model(ids, lengths), labels).backward()
        optimizer.step()
    assert model.eval()(ids, lengths).argmax(dim=1).tolist() == labels.tolist()


@pytest.mark.parametrize("name", MODELS)
def test_a_step_changes_every_parameter(name):
    model = build(name)
    before = {key: parameter.clone() for key, parameter in model.named_parameters()}
    ids, lengths = batch()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    F.cross_entropy(model(ids, lengths), torch.arange(8) % 2).backward()
    optimizer.step()
    unchanged = [key for key, parameter in model.named_parameters() if torch.equal(parameter, before[key])]
    assert unchanged == []


@pytest.mark.parametrize("name", MODELS)
def test_an_evaluated_model_draws_nothing_at_random(name):
    model = build(name, word_dropout=0.9)
    ids, lengths = batch()
    assert not torch.equal(model(ids, lengths), model(ids, lengths))
    model.eval()
    assert torch.equal(model(ids, lengths), model(ids, lengths))


def test_word_dropout_turns_words_and_never_padding_into_the_unknown_word():
    torch.manual_seed(1)
    embedding = WordEmbedding(WORDS, 4, word_dropout=0.3)
    ids = torch.full((100, 100), 7)
    ids[:, 50:] = PADDING
    vectors = embedding(ids)
    unknown = (vectors == embedding.weight[UNKNOWN]).all(dim=2)
    assert 0.25 < unknown[:, :50].float().mean() < 0.35
    assert (vectors[:, 50:] == 0).all()
    assert (embedding.eval()(ids)[:, :50] == embedding.weight[7]).all()
