"""N3: self-attention that compares every word with every other."""

from stages.models.layers.self_attention import SelfAttention


class Classifier(SelfAttention):
    """Words and their positions → attention in the form `softmax` → pooling over time → logits."""
