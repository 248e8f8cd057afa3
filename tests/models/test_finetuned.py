"""An encoder that is trained: pooling, frozen layers, learning rates by layer, and memory for time."""

import pytest
import torch
import torch.nn.functional as F

from stages.common.command import InputError
from stages.models import finetuned
from stages.training.trainer import Trainer
from tests.encoder.kinds import KINDS

IDS, LENGTHS = torch.randint(5, 30, (4, 7), generator=torch.Generator().manual_seed(1)), torch.tensor([7, 3, 5, 7])
LABELS = torch.tensor([0, 1, 1, 0])
OPTIMIZATION = {"learning_rate": 0.01, "weight_decay": 0.0, "clip_norm": None, "average_decay": 0.9}


def build(kind: str = "bert", **options: object) -> finetuned.Classifier:
    torch.manual_seed(1)
    return finetuned.Classifier({"model_type": kind} | KINDS[kind][0], "fp32", 2, dropout=0.0, **options)


def trainer(model: finetuned.Classifier, **options: float) -> Trainer:
    return Trainer(model, torch.device("cpu"), **OPTIMIZATION, label_smoothing=0.0, **options)


def test_the_first_pieces_state_or_the_mean_of_all_is_read():
    mean, first = build().eval(), build(pooling="first").eval()
    hidden = first.encoder(IDS[1:2, :3]).last_hidden_state
    torch.testing.assert_close(first(IDS, LENGTHS)[1], first.output(hidden[0, 0]))
    torch.testing.assert_close(mean(IDS, LENGTHS)[1], mean.output(hidden[0].mean(dim=0)))


@pytest.mark.parametrize("kind", ["bert", "deberta-v2", "distilbert", "modernbert", "mpnet"])
@pytest.mark.parametrize("frozen_layers", [0, 1])
def test_frozen_layers_and_what_is_below_keep_their_weights_and_the_others_do_not(kind, frozen_layers):
    model = build(kind, frozen_layers=frozen_layers)
    model.load_pretrained(dict(model.encoder.state_dict()))  # which makes the encoder again
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    steps = trainer(model)
    steps.gradients(IDS, LENGTHS, LABELS)
    steps.optimizer.step()
    kept = {name for name, weight in model.named_parameters() if torch.equal(weight, before[name])}
    expected = {name for name in before if name.startswith("encoder.embeddings")}
    expected |= {name for name in before if frozen_layers and (".layer.0." in name or ".layers.0." in name)}
    assert expected
    assert kept - expected <= {name for name in before if name.endswith("key.bias")}  # which shifts every score alike
    assert expected <= kept


def test_more_frozen_layers_than_there_are_are_refused():
    with pytest.raises(InputError, match="frozen_layers is 3, but the encoder has 2 layers"):
        build(frozen_layers=3)
    with pytest.raises(InputError, match="frozen_layers is 1, but the encoder has 0 layers with weights of their own"):
        build("albert", frozen_layers=1)


class Count:
    """Of the tensors that a forward pass keeps for the backward pass."""

    tensors = 0

    def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
        self.tensors += 1
        return tensor


@pytest.mark.parametrize("kind", ["bert", "deberta-v2", "distilbert", "modernbert", "mpnet"])
def test_states_computed_a_second_time_give_the_same_gradients_and_are_not_kept(kind):
    gradients, kept = [], []
    for again in (False, True):
        model = build(kind, gradient_checkpointing=again).train()
        torch.manual_seed(2)
        count = Count()
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            loss = F.cross_entropy(model(IDS, LENGTHS), LABELS)
        kept.append(count.tensors)
        loss.backward()
        gradients.append([parameter.grad for parameter in model.parameters()])
    for one, other in zip(*gradients, strict=True):
        assert torch.equal(one, other)
    assert kept[1] < 0.7 * kept[0]


def test_an_encoder_whose_layers_share_their_weights_computes_nothing_a_second_time():
    with pytest.raises(InputError, match="no layers for gradient_checkpointing"):
        build("albert", gradient_checkpointing=True)


class Rows:
    """One batch."""

    def padded(self, batch: torch.Tensor, step: int) -> tuple[torch.Tensor, ...]:
        return IDS, LENGTHS, LABELS

    def __len__(self) -> int:
        return len(LABELS)


def test_each_layer_learns_by_the_factor_more_slowly_than_the_one_above():
    model = build()
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    steps = trainer(model, layer_decay=0.5)
    factors = {id(each): group["factor"] for group in steps.optimizer.param_groups for each in group["params"]}
    named = {name: factors[id(weight)] for name, weight in model.named_parameters()}
    assert named["output.weight"] == 1
    assert named["encoder.encoder.layer.1.output.dense.weight"] == 0.5
    assert named["encoder.encoder.layer.0.output.dense.weight"] == 0.25
    assert named["encoder.embeddings.word_embeddings.weight"] == 0.125
    steps.train_epoch(Rows(), [LABELS], 1, "epoch 1")
    moved = {name: (weight - before[name]).abs().max().item() for name, weight in model.named_parameters()}
    for name in (
        "output.weight",
        "encoder.encoder.layer.1.output.dense.weight",
        "encoder.encoder.layer.0.output.dense.weight",
    ):
        assert moved[name] == pytest.approx(0.01 * named[name], rel=0.01)  # AdamW's first step is the learning rate


def test_layers_of_what_has_none_cannot_learn_more_slowly():
    with pytest.raises(InputError, match="layer_decay is for models that train an encoder"):
        trainer(torch.nn.Linear(2, 2), layer_decay=0.5)
