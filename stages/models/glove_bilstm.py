"""The BiLSTM of K4.3, on GloVe's word vectors."""

from stages.models import bilstm
from stages.models.given_vectors import GivenVectors


class Classifier(GivenVectors, bilstm.Classifier):
    """GloVe's words → dropout → BiLSTM → dropout → BiLSTM → pooling over time → dropout → logits."""
