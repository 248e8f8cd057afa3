"""An LSTM, as in `lstm`, learned from a fine-tuned encoder.

Tang et al. 2019, https://arxiv.org/abs/1903.12136: a small network learns what a large one answers to more texts than
have labels. Hinton et al. 2015, https://arxiv.org/abs/1503.02531: it learns probabilities, not the likeliest class.
"""

from stages.models import lstm


class Classifier(lstm.Classifier):
    """Words → LSTM → pooling over time → logits."""
