"""The BiLSTM of K4.3, on GloVe's word vectors."""

from stages.models import bilstm
from stages.models.pretrained_vectors import PretrainedVectors


class Classifier(PretrainedVectors, bilstm.Classifier):
    """GloVe's words → dropout → BiLSTM → dropout → BiLSTM → pooling over time → dropout → logits."""
