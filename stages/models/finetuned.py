"""A pretrained encoder that is trained as a whole; its pooled hidden states are classified.

Devlin et al. 2019, https://aclanthology.org/N19-1423
"""

import torch
from torch import nn

from stages.encoder.layers import compute_states_again, depths, freeze
from stages.encoder.pretrained import PRECISIONS, encode, new_encoder, read_config, with_weights
from stages.models.layers.pooling import ENCODER_POOLINGS


class Classifier(nn.Module):
    """Wordpieces → encoder → pooling over time → dropout → logits.

    frozen_layers: how many of the encoder's lower layers keep their weights, as its embeddings then do: with 0 the
        embeddings alone, with None all are trained.
    gradient_checkpointing: compute every layer's states a second time instead of keeping them for the backward pass
        (https://arxiv.org/abs/1604.06174): less memory, a third more time, the same result.

    Raises:
        InputError: the encoder has fewer layers than are frozen, or its layers are one and the same.
    """

    def __init__(
        self,
        config: dict,
        precision: str,
        classes: int,
        *,
        dropout: float,
        pooling: str = "mean",
        frozen_layers: int | None = None,
        gradient_checkpointing: bool = False,
    ):
        super().__init__()
        self.precision = PRECISIONS[precision]  # of matrix products; the weights stay fp32
        self.frozen_layers, self.gradient_checkpointing = frozen_layers, gradient_checkpointing
        # Dropout on attention's weights would keep it out of the fused kernel and more than double a step's time.
        self.set_encoder(new_encoder(read_config(config, attention_dropout=0.0)))
        width = self.encoder.config.hidden_size
        self.pooling = ENCODER_POOLINGS[pooling](width)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(width, classes)

    def set_encoder(self, encoder: nn.Module) -> None:
        self.encoder = encoder
        if self.gradient_checkpointing:
            compute_states_again(encoder)
        if self.frozen_layers is not None:
            freeze(encoder, self.frozen_layers)

    def parameter_groups(self, layer_decay: float) -> list[dict]:
        """Parameters with a factor of the learning rate: 1 for the output, times `layer_decay` for each layer below.

        https://arxiv.org/abs/2003.10555, section 3.1
        """
        depth_of = {f"encoder.{name}": depth for name, depth in depths(self.encoder).items()}
        groups: dict[int, list[nn.Parameter]] = {}
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                groups.setdefault(depth_of.get(name, self.encoder.config.num_hidden_layers + 1), []).append(parameter)
        highest = max(groups)
        return [{"params": groups[depth], "factor": layer_decay ** (highest - depth)} for depth in sorted(groups)]

    def load_pretrained(self, weights: dict[str, torch.Tensor]) -> None:
        self.set_encoder(with_weights(self.encoder.config, weights))

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        with torch.autocast(ids.device.type, self.precision, enabled=self.precision != torch.float32):
            hidden = encode(self.encoder, ids, lengths).last_hidden_state  # (B, T) → (B, T, E)
        pooled = self.dropout(self.pooling(hidden.float(), lengths))  # → (B, E)
        return self.output(pooled)  # → (B, C)
