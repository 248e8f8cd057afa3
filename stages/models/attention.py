"""Self-attention over word vectors that compares every word with every other, pooled over time.

Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
"""

from stages.models.layers.self_attention import SelfAttention, softmax_attention


class Classifier(SelfAttention):
    """Words and their positions → attention by a softmax over all words → pooling over time → logits."""

    attention = staticmethod(softmax_attention)
