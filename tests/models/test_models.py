"""Every network: padding never changes a prediction, and a training can overfit eight examples."""

import importlib

import pytest
import torch
import torch.nn.functional as F

from stages.common import params
from stages.models.layers.embedding import WordEmbedding
from stages.models.layers.pooling import BIDIRECTIONAL_POOLINGS, POOLINGS
from stages.training.inputs import PADDING, UNKNOWN
from tests.projects import REPOSITORY

PARAMS = params.load(REPOSITORY)
RUNS = [PARAMS["run"], *(corpus["run"] for corpus in PARAMS["corpora"].values() if "run" in corpus)]
MODELS = [run["models"] for run in RUNS if "models" in run]
KINDS = {model: kind for kinds in MODELS for kind in kinds if kind != "ngrams" for model in kinds[kind]}
WORDS, WIDTH = 50, 16
BERT = {
    "model_type": "bert",
    "vocab_size": WORDS,
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 16,
}
OF_WORDS = {"vocabulary_size": WORDS, "embedding_size": WIDTH}
OF_INPUT = {
    "features": {"feature_size": WIDTH, "states": 1},
    "finetuning": {"config": BERT, "precision": "fp32"},
}


def build(name: str, **changes: object) -> torch.nn.Module:
    torch.manual_seed(1)
    architecture = PARAMS["models"][name]["architecture"]
    small = {"hidden_size": 12} if "hidden_size" in architecture else {}
    arguments = {**architecture, **small, **OF_INPUT.get(KINDS[name], OF_WORDS), "classes": 2, **changes}
    return importlib.import_module(f"stages.models.{name}").Classifier(**arguments)


def batch(name: str, padding: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Eight rows, followed by more padding than the longest needs."""
    lengths = torch.tensor([6, 4, 4, 1, 5, 3, 2, 6])
    generator = torch.Generator().manual_seed(1)
    is_word = torch.arange(6 + padding) < lengths[:, None]
    ids = F.pad(torch.randint(2, WORDS, (8, 6), generator=generator), (0, padding)).masked_fill(~is_word, PADDING)
    features = torch.randn(WORDS, WIDTH, generator=generator).half()[ids] * is_word[:, :, None]
    return features if KINDS[name] == "features" else ids, lengths


def poolings_of(name: str) -> list[dict]:
    if "pooling" not in PARAMS["models"][name]["architecture"]:
        return [{}]
    return [{"pooling": pooling} for pooling in (BIDIRECTIONAL_POOLINGS if "bi" in name else POOLINGS)]


@pytest.mark.parametrize(("name", "changes"), [(name, changes) for name in KINDS for changes in poolings_of(name)])
def test_padding_changes_no_logit_and_no_gradient(name, changes):
    model = build(name, **changes).eval()
    outcomes = []
    for padding in (0, 5):
        logits = model(*batch(name, padding))
        gradients = torch.autograd.grad(F.cross_entropy(logits, torch.arange(8) % 2), list(model.parameters()))
        outcomes.append([logits, *gradients])

    for tight, loose in zip(*outcomes, strict=True):
        torch.testing.assert_close(tight, loose, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", KINDS)
def test_a_row_has_the_same_score_alone_and_in_a_batch(name):
    model = build(name).eval()
    tokens, lengths = batch(name)
    together = model(tokens, lengths)
    for row, length in enumerate(lengths):
        alone = model(tokens[row : row + 1, :length], lengths[row : row + 1])
        torch.testing.assert_close(alone, together[row : row + 1], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", KINDS)
def test_eight_examples_are_overfitted(name):
    model = build(name)
    tokens, lengths = batch(name)
    labels = torch.tensor([0, 1, 1, 0, 1, 0, 0, 1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.003 if KINDS[name] == "finetuning" else 0.01)
    for _ in range(300):
        optimizer.zero_grad()
        F.cross_entropy(model(tokens, lengths), labels).backward()
        optimizer.step()
    assert model.eval()(tokens, lengths).argmax(dim=1).tolist() == labels.tolist()


@pytest.mark.parametrize("name", KINDS)
def test_a_step_changes_every_parameter(name):
    model = build(name)
    before = {key: parameter.clone() for key, parameter in model.named_parameters()}
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    F.cross_entropy(model(*batch(name)), torch.arange(8) % 2).backward()
    optimizer.step()
    unchanged = [key for key, parameter in model.named_parameters() if torch.equal(parameter, before[key])]
    assert [key for key in unchanged if not key.endswith("attention.self.key.bias")] == []  # shifts all scores equally


@pytest.mark.parametrize("name", KINDS)
def test_an_evaluated_model_draws_nothing_at_random(name):
    shares = [key for key in PARAMS["models"][name]["architecture"] if key.endswith("dropout")]
    model = build(name, **dict.fromkeys(shares, 0.5))
    tokens, lengths = batch(name)
    assert not torch.equal(model(tokens, lengths), model(tokens, lengths))
    model.eval()
    assert torch.equal(model(tokens, lengths), model(tokens, lengths))


@pytest.mark.parametrize("name", [name for name in KINDS if KINDS[name] not in OF_INPUT])
def test_a_model_on_words_starts_on_given_vectors(name):
    vectors = torch.rand(WORDS, WIDTH)
    model, tokens = build(name).eval(), batch(name)
    before = model(*tokens)
    model.load_pretrained({"vectors": vectors})
    assert torch.equal(model.embedding.weight, vectors)
    assert not torch.equal(model(*tokens), before)
    with pytest.raises(RuntimeError, match="size"):
        model.load_pretrained({"vectors": vectors[:, 1:]})


def test_final_states_have_read_the_whole_sequence_in_either_direction():
    states = torch.arange(2 * 3 * 4.0).view(2, 3, 4)  # (B, T, H): two features of each direction
    pooled = BIDIRECTIONAL_POOLINGS["final"](4)(states, torch.tensor([3, 2]))
    assert pooled.tolist() == [[8, 9, 2, 3], [16, 17, 14, 15]]


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
