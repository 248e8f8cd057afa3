"""Word vectors that were trained elsewhere, which a model may keep as they are."""

from stages.models.layers.embedding import StartsOnVectors


class PretrainedVectors(StartsOnVectors):
    """A base class to name before the `Classifier` of a model that starts on given vectors.

    freeze: keep the vectors as they are; otherwise they are trained further.
    """

    def __init__(self, vocabulary_size: int, classes: int, *, freeze: bool, **architecture: float | str):
        super().__init__(vocabulary_size, classes, **architecture)
        self.embedding.weight.requires_grad_(not freeze)
