"""An LSTM with dropout, as in `lstm_dropout`, on GloVe's word vectors.

Pennington et al. 2014, https://aclanthology.org/D14-1162
"""

from stages.models import lstm_dropout
from stages.models.pretrained_vectors import PretrainedVectors


class Classifier(PretrainedVectors, lstm_dropout.Classifier):
    """GloVe's words → dropout → LSTM → pooling over time → dropout → logits."""
