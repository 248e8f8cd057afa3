"""A layer on every word vector and their mean, as in `average`, learned from a fine-tuned encoder.

Hinton et al. 2015, https://arxiv.org/abs/1503.02531: a small model learns the probabilities that a large one gives the
classes, which say more than labels, and of texts that nobody has labelled too.
"""

from stages.models import average


class Classifier(average.Classifier):
    """Words → dropout → linear, ReLU → mean over time → dropout → logits."""
