"""A BERT that is trained as a whole; the mean of its last hidden states is classified.

Devlin et al. 2019, https://aclanthology.org/N19-1423
"""

import torch
from torch import nn

from stages.encoder.pretrained import PRECISIONS, encode, new_encoder, read_config, with_weights
from stages.models.layers.pooling import Mean


class Classifier(nn.Module):
    """Wordpieces → BERT → mean over time → dropout → logits."""

    def __init__(self, config: dict, precision: str, classes: int, *, dropout: float):
        super().__init__()
        self.precision = PRECISIONS[precision]  # of matrix products; the weights stay fp32
        # Dropout on attention's weights would keep it out of the fused kernel and more than double a step's time.
        self.encoder = new_encoder(read_config(config, attention_dropout=0.0))
        width = self.encoder.config.hidden_size
        self.pooling = Mean(width)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(width, classes)

    def load_pretrained(self, weights: dict[str, torch.Tensor]) -> None:
        self.encoder = with_weights(self.encoder.config, weights)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        with torch.autocast(ids.device.type, self.precision, enabled=self.precision != torch.float32):
            hidden = encode(self.encoder, ids, lengths).last_hidden_state  # (B, T) → (B, T, E)
        pooled = self.dropout(self.pooling(hidden.float(), lengths))  # → (B, E)
        return self.output(pooled)  # → (B, C)
