"""Two layers of LSTMs in both directions, as in `bilstm`, on GloVe's word vectors.

Pennington et al. 2014, https://aclanthology.org/D14-1162
"""

from stages.models import bilstm
from stages.models.pretrained_vectors import PretrainedVectors


class Classifier(PretrainedVectors, bilstm.Classifier):
    """GloVe's words → dropout → BiLSTM → dropout → BiLSTM → pooling over time → dropout → logits."""
