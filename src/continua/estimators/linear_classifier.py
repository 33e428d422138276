"""What linear classifiers share: classes, weights of classes, scores, and the class whose score is highest."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from continua.core import ArgumentError
from continua.estimators.linear_model import LinearModel, checked
from continua.estimators.risks import Floats


def labelled(estimator: Any, X: Any, y: Any, sample_weight: Any) -> tuple[Any, NDArray[np.intp], Floats]:
    """Rows, the number of each one's class, its weight; the classes themselves go into `classes_`."""
    X, y, weights = checked(estimator, X, y, sample_weight)
    check_classification_targets(y)
    if estimator.class_weight is not None:
        weights = weights * compute_sample_weight(estimator.class_weight, y)
    estimator.classes_, numbers = np.unique(y, return_inverse=True)
    if len(np.unique(numbers[weights > 0])) < 2:
        raise ArgumentError(
            f"`y` of {type(estimator).__name__} must hold two classes or more of positive weight. Got one class. "
            "Add samples of another."
        )
    return X, numbers, weights


class LinearClassifier(ClassifierMixin, LinearModel):
    """One score for two classes, positive for the second; one for each of several."""

    class_weight: Any
    classes_: Any

    def decision_function(self, X: Any) -> Floats:
        """Scores of rows X: [sample] for two classes, else [sample, class]."""
        scores = self._linear(X)
        return scores.ravel() if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> NDArray[Any]:
        """The class of rows X."""
        scores = self.decision_function(X)
        return self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(1)]
