r"""scikit-learn's faces of models that are fitted by going down a function: regressions, classifiers, SVMs, networks.

Same objectives, arguments and attributes as scikit-learn's own. The flow is $w' = -\nabla F(w)$, stepped, where F
is convex, by linearly implicit Euler with endless steps: Newton's method.
"""

from continua.estimators.kernel_svm import SVC
from continua.estimators.linear_svm import LinearSVC
from continua.estimators.logistic_regression import LogisticRegression
from continua.estimators.perceptron import MLPClassifier, MLPRegressor
from continua.estimators.regression import ElasticNet, Lasso, LinearRegression, Ridge

__all__ = [
    "SVC",
    "ElasticNet",
    "Lasso",
    "LinearRegression",
    "LinearSVC",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "Ridge",
]
