"""A BERT that is trained as a whole; the mean of its last hidden states is classified.

Devlin et al. 2019, https://aclanthology.org/N19-1423
"""

import torch
from torch import nn

from stages.encoder.bert import PRECISIONS, attention_mask, new_encoder, with_weights
from stages.models.layers.pooling import Mean
from stages.training.padding import is_word


class Classifier(nn.Module):
    """Wordpieces → BERT → mean over time → dropout → logits."""

    def __init__(self, config: dict, precision: str, classes: int, *, dropout: float):
        super().__init__()
        self.precision = PRECISIONS[precision]  # of matrix products; the weights stay fp32
        # Dropout on attention's weights would keep it out of the fused kernel and more than double a step's time.
        self.encoder = new_encoder({**config, "attention_probs_dropout_prob": 0.0})
        self.pooling = Mean(config["hidden_size"])
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(config["hidden_size"], classes)

    def load_pretrained(self, weights: dict[str, torch.Tensor]) -> None:
        self.encoder = with_weights(self.encoder.config, weights)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        is_token = is_word(lengths, ids.size(1))  # (B, T)
        with torch.autocast(ids.device.type, self.precision, enabled=self.precision != torch.float32):
            hidden = self.encoder(ids, attention_mask=attention_mask(is_token)).last_hidden_state  # (B, T) → (B, T, E)
        pooled = self.dropout(self.pooling(hidden.float(), lengths))  # → (B, E)
        return self.output(pooled)  # → (B, C)
