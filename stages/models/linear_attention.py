"""N3's first proposal: self-attention by a kernel, whose time is linear in the length."""

from stages.models.layers.self_attention import SelfAttention


class Classifier(SelfAttention):
    """Words and their positions → attention in the form `linear` → pooling over time → logits."""
