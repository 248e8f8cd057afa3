"""Self-attention over word vectors in time linear in the length, pooled over time.

Katharopoulos et al. 2020, https://arxiv.org/abs/2006.16236
"""

from stages.models.layers.self_attention import SelfAttention, linear_attention


class Classifier(SelfAttention):
    """Words and their positions → attention in linear time → pooling over time → logits."""

    attention = staticmethod(linear_attention)
