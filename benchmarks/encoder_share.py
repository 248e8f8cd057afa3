"""An encoder of MPNet's shape in bf16 on the CPU, on SST-2's rows, against the rate of one large matrix product.

The weights are random, which takes as long as trained ones. A ratio of 2 means half the product's rate: twice as long
as the product would take for the floating-point operations of the encoder's weights on the tokens, padding left out.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks import data
from benchmarks.encoder import features, wordpieces
from benchmarks.gpu.notebook_n import random_encoder
from benchmarks.timing import Row, ratio
from stages.common import params
from stages.common.command import InputError
from stages.encoder.frozen import FrozenEncoder
from stages.models.finetuned import Classifier
from stages.training.loop import seed_epoch
from stages.training.sequences import Sequences, training_batches
from stages.training.trainer import Trainer

CPU = torch.device("cpu")
SHAPE = {"model_type": "mpnet"}  # all other sizes are those of mpnet-base: 12 layers of 768 numbers
ROWS = 2048  # the first of SST-2's; as many as training_batches sorts by length together
BATCH_SIZE, BATCHES = 32, 16  # of fine-tuning
PRODUCT = (1024, 4096, 4096)
PRODUCTS = 20  # timed together
PAIRS = 2
FORWARD = "features of an encoder of MPNet's shape, SST-2, bf16, CPU"
TRAINING = "fine-tuning an encoder of MPNet's shape, SST-2, bf16, CPU"
AGAINST = "a product's rate"
AIMS = {FORWARD: 1 / 0.55, TRAINING: 1 / 0.40}
# Floating-point operations for each weight and token: a product and a sum, and twice that for the gradients.
OPERATIONS = {FORWARD: 2, TRAINING: 6}


def new_products() -> Callable[[], object]:
    rows, inner, columns = PRODUCT
    left, right = torch.randn(rows, inner).bfloat16(), torch.randn(inner, columns).bfloat16()
    return lambda: [left @ right for _ in range(PRODUCTS)]


def weights(encoder: torch.nn.Module) -> int:
    """How many weights every token is multiplied with: all but the embeddings, which are looked up."""
    return sum(each.numel() for name, each in encoder.named_parameters() if not name.startswith("embeddings."))


def reading(folder: Path, rows: Sequences) -> tuple[Callable[[], object], int, int]:
    """What embed_bert does with the rows, the weights it uses and the tokens it reads."""
    encoder = FrozenEncoder(folder, layers=list(range(13)), mix="mean", precision="bf16", device=CPU)
    return lambda: features(encoder, rows), weights(encoder.encoder), len(rows.tokens)


def training(folder: Path, rows: Sequences) -> tuple[Callable[[], object], int, int]:
    """Some steps of an epoch as `fit` does them, the weights they change and the tokens they read."""
    described, of_encoder = params.section("models", "finetuned"), params.section("encoders", "mpnet")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model = Classifier(config, "bf16", classes=2, **described["architecture"])
    trainer = Trainer(model, CPU, **described["optimization"] | of_encoder["optimization"])
    batches = list(training_batches(rows.lengths, BATCH_SIZE, seed_epoch(1, 1)))[:BATCHES]
    tokens = int(rows.lengths[np.concatenate(batches)].sum())
    return lambda: trainer.train_epoch(rows, batches, 1000, "fine-tuning"), weights(model.encoder), tokens


def measured() -> Iterator[Row]:
    if not torch.cpu.get_capabilities().get("avx512_bf16"):
        raise InputError("this processor has no products in bf16")
    texts = pd.read_parquet(data.sst2_rows() / "train.parquet", columns=["text"])["text"][:ROWS]
    rows, products = wordpieces(list(texts)), new_products()
    with tempfile.TemporaryDirectory() as folder:
        encoder = random_encoder(Path(folder), SHAPE)
        for what, prepare in ((FORWARD, reading), (TRAINING, training)):
            work, used, tokens = prepare(encoder, rows)
            of_products = PRODUCTS * 2 * np.prod(PRODUCT)
            found = ratio(work, products, PAIRS) * of_products / (OPERATIONS[what] * used * tokens)
            yield Row(what, AGAINST, float(found), AIMS[what], f"{1 / found:.0%} of it, {tokens:,} wordpieces")


def rows() -> Iterator[Row]:
    try:
        yield from measured()
    except InputError as error:
        for what, aim in AIMS.items():
            yield Row(what, AGAINST, None, aim, str(error))
