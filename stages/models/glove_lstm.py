"""K5.1: the LSTM with dropout of K4.2, on GloVe's word vectors."""

from stages.models import lstm_dropout
from stages.models.pretrained_vectors import PretrainedVectors


class Classifier(PretrainedVectors, lstm_dropout.Classifier):
    """GloVe's words → dropout → LSTM → pooling over time → dropout → logits."""
