"""`MLPClassifier` and `MLPRegressor`: a network of `continua.models` with scikit-learn's face."""

import functools
import warnings
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.validation import check_is_fitted, validate_data

from continua import optim
from continua.core import ArgumentError, ArgumentTypeError, count, in_double_precision, one_of
from continua.estimators.linear_model import MOST, checked, number, takes_sparse_rows
from continua.estimators.network_cost import KINDS, REGRESSIONS, Cost, Rows, outputs
from continua.estimators.risks import Floats
from continua.models import MLP, Dense

FEW = 10_000  # samples: up to so many, whole gradients are cheap enough for a quasi-Newton method
BATCH = 200
DTYPES = (np.float64, np.float32)
LEAST, PARTS = 256, 2  # rows of the smallest shape that is compiled for; shapes between one power of two and the next
ABREAST = 16  # features come in multiples of this
SOLVERS: dict[str, Callable[[float], Any]] = {
    "adam": optim.adam,
    "sgd": functools.partial(optim.sgd, momentum=0.9, nesterov=True),
}


def rounded(rows: int) -> int:
    """A number of rows not below this one, of few: folds of nearly equal size share a compiled program."""
    part = max(LEAST, 1 << max(rows - 1, 1).bit_length() - 1) // PARTS
    return max(LEAST, -(-rows // part) * part)


def lengthened(rows: Any, number: int) -> Any:
    """Each array with so many rows, the new ones 0."""
    return jax.tree.map(lambda a: np.concatenate([a, np.zeros((number - len(a), *a.shape[1:]), a.dtype)]), rows)


def with_features(model: MLP, number: int) -> MLP:
    """The network with so many features, the last ones cut off, or new ones that do nothing."""
    weight = np.asarray(model.layers[0].weight).T
    resized = lengthened(weight, max(number, len(weight)))[:number].T
    return eqx.tree_at(lambda m: m.layers[0].weight, model, resized)


class Perceptron(BaseEstimator):
    """What the two share: arguments, the start, and the ways down."""

    model_: MLP

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: Any = "auto",
        alpha: float = 1e-4,
        batch_size: int | str = "auto",
        learning_rate_init: float = 1e-3,
        max_iter: int = 200,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: int = 0,
        warm_start: bool = False,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change

    def __sklearn_tags__(self) -> Any:
        """It takes sparse rows."""
        return takes_sparse_rows(super().__sklearn_tags__())

    @property
    def coefs_(self) -> list[Floats]:
        """The weights of each layer, [input, output]."""
        return [np.asarray(layer.weight).T for layer in self.model_.layers]

    @property
    def intercepts_(self) -> list[Floats]:
        """The biases of each layer, [output]."""
        return [np.asarray(layer.bias) for layer in self.model_.layers]

    @property
    def out_activation_(self) -> str:
        """What is done to the scores."""
        return KINDS[self._kind].name

    @in_double_precision
    def _descend(self, rows: Rows, kind: str, scores: int, strata: Any = None) -> None:
        """Fit the network to the rows; what is computed has the dtype of the features."""
        self._kind, self.n_outputs_ = kind, scores
        alpha, tol, steps = number(self, "alpha"), number(self, "tol", above=True), self._whole("max_iter")
        random = check_random_state(self.random_state)
        if sparse.issparse(rows.X):
            rows = rows._replace(X=rows.X.toarray())
        dtype = rows.X.dtype
        rows = rows._replace(weights=rows.weights.astype(dtype))
        model = self._started(rows.X.shape[1], random, dtype)
        solver = self._solver(len(rows.X))
        if solver == "lbfgs":
            told = type(self).__name__ if self.verbose else ""
            cost = Cost(jnp.asarray(alpha, dtype), jnp.asarray(rows.weights.sum()), kind, told)
            found = self._at_once(cost, model, rows, tol, steps)
        else:
            found = self._by_batches(solver, alpha, model, rows, tol, steps, random, strata)
        self.model_, self.n_layers_ = jax.tree.map(np.asarray, found), len(found.layers) + 1

    def _at_once(self, cost: Cost, model: MLP, rows: Rows, tol: float, steps: int) -> MLP:
        """Down the cost of all rows, without a learning rate; shapes are filled up to one that many share."""
        features = rows.X.shape[1]
        wide = features + -features % ABREAST
        filled = lengthened(rows._replace(X=lengthened(rows.X.T, wide).T), rounded(len(rows.X)))
        start = with_features(model, wide)
        found = optim.minimise(cost, start, filled, method=optim.LBFGS(), gtol=tol, max_steps=steps, throw=False)
        jax.effects_barrier()
        if found.status in (optim.Outcome.NOT_FINITE, optim.Outcome.UNBOUNDED):
            found.check()
        if found.status in (optim.Outcome.STEP_LIMIT, optim.Outcome.STALLED):
            self._warn(f"ended with {float(found.slope):.1e} as the largest entry of its gradient")
        self.n_iter_ = int(found.steps)
        self.loss_curve_ = np.asarray(found.history[: self.n_iter_ + 1, 0]).tolist()
        self.loss_ = float(found.value)
        return with_features(found.x, features)

    def _by_batches(
        self, solver: Any, alpha: float, model: MLP, rows: Rows, tol: float, epochs: int, random: Any, strata: Any
    ) -> MLP:
        """Down the cost of some rows after others, as `train` goes."""
        from continua.train import LossLevel, Patience, train

        patience, seed = self._whole("n_iter_no_change"), int(random.randint(2**31))
        held, rule = None, LossLevel(tol, patience)
        if self.early_stopping:
            share = number(self, "validation_fraction", above=True, most=1)
            parts = train_test_split(*rows, test_size=share, random_state=random, stratify=strata)
            rows, held, rule = Rows(*parts[::2]), Rows(*parts[1::2]), Patience(patience)
        size = min(BATCH, len(rows.X)) if self.batch_size == "auto" else min(self._whole("batch_size"), len(rows.X))
        whole = -(-len(rows.X) // size) * size
        mean = jnp.asarray(rows.weights.mean())  # weights of a batch sum to this times its size, on average
        trained = train(
            Cost(jnp.asarray(alpha, mean.dtype), size * mean, self._kind),
            model,
            lengthened(rows, whole),
            solver,
            epochs=epochs,
            batch_size=size,
            validation=held,
            stop=rule,
            key=jax.random.key(seed),
            progress=bool(self.verbose),
        )
        if len(trained.history) == epochs:
            self._warn(f"was still going down after {epochs} epochs")
        self.n_iter_ = len(trained.history)
        self.loss_curve_ = [row["loss"] for row in trained.history]
        self.loss_ = self.loss_curve_[-1]
        return trained.best

    def _solver(self, samples: int) -> Any:
        """The name "lbfgs", or a transformation as optax means it."""
        given, name = self.solver, type(self).__name__
        if not isinstance(given, str):
            if not (hasattr(given, "init") and hasattr(given, "update")):
                raise ArgumentTypeError(
                    f"`solver` of `{name}` must be a name or a transformation as optax means it. Got {given!r}."
                )
            return given
        one_of(name, "solver", given, ("auto", "lbfgs", *SOLVERS))
        if given == "auto":
            given = "lbfgs" if samples <= FEW and not self.early_stopping else "adam"
        if given == "lbfgs":
            if self.early_stopping:
                raise ArgumentError(f"`early_stopping` of `{name}` goes with mini-batches. Use solver='adam'.")
            return given
        return SOLVERS[given](number(self, "learning_rate_init", above=True))

    def _started(self, features: int, random: Any, dtype: Any) -> MLP:
        """The network to start from: drawn as scikit-learn draws it or, with `warm_start`, the last one."""
        hidden = self.hidden_layer_sizes if np.iterable(self.hidden_layer_sizes) else [self.hidden_layer_sizes]
        name = type(self).__name__
        sizes = [features, *(count(name, "hidden_layer_sizes", h, most=MOST) for h in hidden), self.n_outputs_]
        activation = "sigmoid" if self.activation == "logistic" else self.activation
        empty = eqx.filter_eval_shape(MLP, sizes, jax.random.key(0), activation=activation, dtype=dtype)
        if self.warm_start and hasattr(self, "model_"):
            before = self.model_
            if [layer.weight.shape for layer in before.layers] == [layer.weight.shape for layer in empty.layers]:
                return jax.tree.map(lambda a: a.astype(dtype), before)

        def drawn(layer: Any) -> Dense:
            outputs, inputs = layer.weight.shape
            bound = np.sqrt((2 if activation == "sigmoid" else 6) / (inputs + outputs))
            weight = jnp.asarray(random.uniform(-bound, bound, (inputs, outputs)).T, dtype)
            return Dense(weight, jnp.asarray(random.uniform(-bound, bound, outputs), dtype))

        return eqx.tree_at(lambda model: model.layers, empty, tuple(map(drawn, empty.layers)))

    @in_double_precision
    def _predicted(self, X: Any) -> Floats:
        """What the scores mean, [sample, output]."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=DTYPES, reset=False)
        X = (X.toarray() if sparse.issparse(X) else X).astype(self.model_.layers[0].weight.dtype)
        scores = np.asarray(outputs(self.model_, lengthened(X, rounded(len(X)))))[: len(X)]
        return np.asarray(KINDS[self._kind].link(scores))

    def _whole(self, name: str) -> int:
        return count(type(self).__name__, name, getattr(self, name), most=MOST)

    def _warn(self, what: str) -> None:
        remedy = "Raise `max_iter` or `tol`, or scale the features alike."
        warnings.warn(f"{type(self).__name__} {what}. {remedy}", ConvergenceWarning, stacklevel=5)


class MLPClassifier(ClassifierMixin, Perceptron):
    r"""A multi-layer perceptron that tells classes apart, or which of several labels a sample has.

    $$ \min_\theta \frac{1}{\sum_i s_i} \Big(\sum_i s_i\, \ell(z_i, c_i) + \tfrac12 \alpha \sum_l |W_l|^2\Big),
       \qquad z_i = \mathrm{MLP}_\theta(x_i) $$

    ℓ is the cross-entropy of softmax for three classes or more; of two classes and for labels, that of the logistic
    function of each score. The network, `continua.models.MLP`, starts from scikit-learn's random numbers, and is
    computed in the dtype of X. Sparse rows are made dense.

    Args:
        hidden_layer_sizes: the width of each hidden layer; one number for one layer; () for none.
        activation: relu, tanh, logistic, identity, or another that `MLP` knows.
        solver: "lbfgs" goes down the cost of all samples by `continua.minimise`; "adam", "sgd" (with Nesterov's
            momentum .9) or any transformation of `continua.optim` goes by mini-batches; "auto" is "lbfgs" up to 10,000
            samples and without early stopping, else "adam".
        alpha: α; in mini-batches the mean weight of a batch stands in place of Σ s.
        batch_size: samples of a mini-batch; "auto" for 200, or all if they are fewer.
        learning_rate_init: of "adam" and "sgd".
        max_iter: steps of "lbfgs", else epochs, at most.
        random_state: what the start, the batches and the validation are drawn with.
        tol: of "lbfgs", the largest entry of the gradient; else the share of itself by which the loss changes in
            `n_iter_no_change` epochs.
        verbose: whether progress is told: each loss of "lbfgs" on the standard error, else a bar on a terminal.
        warm_start: whether `fit` starts where the last one ended, if shapes are the same.
        early_stopping: whether samples are held back, and training ends where their loss was lowest.
        validation_fraction: how many are.
        n_iter_no_change: epochs without a lower loss after which training ends.

    Attributes:
        classes_: the classes, or the numbers of the labels.
        model_: the network.
        coefs_, intercepts_: its weights, [input, output], and biases, layer by layer.
        loss_, loss_curve_: the cost at the end, and on the way.
        n_iter_: steps or epochs.
        n_layers_, n_outputs_, out_activation_: of the network.

    Warns:
        ConvergenceWarning: where `max_iter` ended it.

    Example:
        >>> from continua.estimators import MLPClassifier
        >>> model = MLPClassifier((8,), "tanh", random_state=0)
        >>> model.fit([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]], ["same", "same", "other", "other"])
        MLPClassifier(activation='tanh', hidden_layer_sizes=(8,), random_state=0)
        >>> model.predict([[1.0, 1.0], [0.0, 1.0]])
        array(['same', 'other'], dtype='<U5')
    """

    classes_: Any

    def __sklearn_tags__(self) -> Any:
        """It takes several labels."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "MLPClassifier":
        """Fit it to rows X [sample, feature], dense or sparse, and classes y [sample] or labels [sample, label]."""
        X, y, weights = checked(self, X, y, sample_weight, multi_output=True, dtype=DTYPES)
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        self._binariser = LabelBinarizer()
        hot = self._binariser.fit_transform(y)
        self.classes_ = self._binariser.classes_
        if self._binariser.y_type_ == "multiclass":
            self._descend(Rows(X, hot.argmax(1), weights), "classes", hot.shape[1], y)
        else:
            hot = hot.toarray() if sparse.issparse(hot) else hot
            self._descend(
                Rows(X, 2 * hot.astype(X.dtype) - 1, weights), "labels", hot.shape[1], y if y.ndim == 1 else None
            )
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """The class [sample], or the labels [sample, label], of rows X."""
        chances = self._predicted(X)
        found = self._binariser.inverse_transform(chances.ravel() if self.n_outputs_ == 1 else chances)
        return np.asarray(found)

    def predict_proba(self, X: Any) -> Floats:
        """The chances of the classes, or of each label, [sample, class], of rows X."""
        chances = self._predicted(X)
        return np.hstack([1 - chances, chances]) if self.n_outputs_ == 1 else chances

    def predict_log_proba(self, X: Any) -> Floats:
        """Their logarithms."""
        return np.log(self.predict_proba(X))


class MLPRegressor(MultiOutputMixin, RegressorMixin, Perceptron):
    r"""A multi-layer perceptron for numbers, one or several for each sample.

    $$ \min_\theta \frac{1}{\sum_i s_i} \Big(\sum_i s_i\, \ell(z_i, y_i) + \tfrac12 \alpha \sum_l |W_l|^2\Big),
       \qquad z_i = \mathrm{MLP}_\theta(x_i) $$

    Args:
        loss: ℓ, summed over the outputs: "squared_error" (z − y)²/2, "absolute_error" |z − y|, "huber" (width 1), or
            "poisson" eᶻ − y z, whose prediction is eᶻ, for y ≥ 0.
        hidden_layer_sizes, activation, solver, …: as those of `MLPClassifier`.

    Attributes:
        model_, coefs_, …: as those of `MLPClassifier`.

    Warns:
        ConvergenceWarning: where `max_iter` ended it.
    """

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: Any = "auto",
        alpha: float = 1e-4,
        batch_size: int | str = "auto",
        learning_rate_init: float = 1e-3,
        max_iter: int = 200,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: int = 0,
        warm_start: bool = False,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
    ) -> None:
        super().__init__(
            hidden_layer_sizes, activation, solver=solver, alpha=alpha, batch_size=batch_size,
            learning_rate_init=learning_rate_init, max_iter=max_iter, random_state=random_state, tol=tol,
            verbose=verbose, warm_start=warm_start, early_stopping=early_stopping,
            validation_fraction=validation_fraction, n_iter_no_change=n_iter_no_change,
        )  # fmt: skip
        self.loss = loss

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "MLPRegressor":
        """Fit it to rows X [sample, feature], dense or sparse, and targets y [sample] or [sample, target]."""
        X, y, weights = checked(self, X, y, sample_weight, y_numeric=True, multi_output=True, dtype=DTYPES)
        kind = one_of("MLPRegressor", "loss", self.loss, REGRESSIONS)
        if kind == "poisson" and (y < 0).any():
            raise ArgumentError(f"`y` of `MLPRegressor` must not be below 0 for a Poisson loss. Got {y.min():g}.")
        self._flat = y.ndim == 1 or (y.shape[1] == 1 and column_or_1d(y, warn=True) is not None)
        targets = y.astype(X.dtype).reshape(len(y), -1)
        self._descend(Rows(X, targets, weights), kind, targets.shape[1])
        return self

    def predict(self, X: Any) -> Floats:
        """The targets of rows X."""
        found = self._predicted(X)
        return found.ravel() if self._flat else found
