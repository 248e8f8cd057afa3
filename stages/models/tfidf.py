"""Logistic regression on the n-grams that a text holds, weighted and scaled to unit length: the linear baseline."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix, diags
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from stages.models.layers.ngram_weights import WEIGHTINGS


class Classifier:
    """N-grams of words → weights → unit length → logistic regression.

    ngrams: the F n-grams, their words joined by blanks, alphabetically; weights: (F,); coefficients: (C, F)
    or, of two classes, (1, F); intercepts: (C,) or (1,).
    """

    def __init__(self, ngrams: Sequence[str], weights: np.ndarray, coefficients: np.ndarray, intercepts: np.ndarray):
        self.ngrams = list(ngrams)
        self.counter = new_counter(max(ngram.count(" ") for ngram in ngrams) + 1, vocabulary=self.ngrams)
        self.weights = weights
        self.regression = LogisticRegression()
        self.regression.coef_, self.regression.intercept_ = coefficients, intercepts
        self.regression.classes_ = np.arange(max(2, len(intercepts)))

    def probabilities(self, texts: Sequence[Sequence[str]]) -> np.ndarray:
        """Of each class, for texts cut into words: (N, C)."""
        return self.regression.predict_proba(weighted(self.counter.transform(texts), self.weights))

    def tensors(self) -> dict[str, np.ndarray]:
        """What, with `ngrams`, makes the same classifier again."""
        coefficients, intercepts = self.regression.coef_, self.regression.intercept_
        coefficients = np.ascontiguousarray(coefficients)  # of several classes scikit-learn's are by column in memory,
        # and safetensors writes numbers in the order of the memory, whatever the shape
        return {"weights": self.weights, "coefficients": coefficients, "intercepts": intercepts}


def new_counter(longest_ngram: int, vocabulary: Sequence[str] | None = None) -> CountVectorizer:
    """Which n-grams are in a text, however often."""
    as_cut = {"preprocessor": list, "tokenizer": list, "token_pattern": None, "lowercase": False}
    lengths = {"ngram_range": (1, longest_ngram), "vocabulary": vocabulary}
    return CountVectorizer(**as_cut, **lengths, binary=True, dtype=np.float32)


def count(texts: Sequence[Sequence[str]], longest_ngram: int) -> tuple[csr_matrix, np.ndarray]:
    """Which n-grams occur in which text, (N, F), and the n-grams, (F,)."""
    counter = new_counter(longest_ngram)
    return counter.fit_transform(texts), counter.get_feature_names_out()


def weighted(occurrences: csr_matrix, weights: np.ndarray) -> csr_matrix:
    return normalize(occurrences @ diags(weights))


def fit(
    occurrences: csr_matrix,
    ngrams: Sequence[str],
    labels: np.ndarray,
    *,
    weighting: str,
    inverse_regularization: float,
    class_weights: np.ndarray | None = None,
) -> Classifier:
    """A classifier trained on texts in which n-grams occur or not, (N, F), and their classes, (N,).

    class_weights: (C,), times which the losses of each class's rows count; without them all count the same.
    """
    weights = WEIGHTINGS[weighting](occurrences, labels)
    # On IMDB scikit-learn's 1e-4 stops up to 0.16 from the optimum, elsewhere on each machine; this, 0.004.
    by_class = None if class_weights is None else dict(enumerate(class_weights))
    regression = LogisticRegression(C=inverse_regularization, class_weight=by_class, tol=1e-6, max_iter=1000)
    regression.fit(weighted(occurrences, weights), labels)
    return Classifier(ngrams, weights, regression.coef_, regression.intercept_)
