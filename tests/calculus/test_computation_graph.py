"""A graph holds every step with its value, and every adjoint is the derivative that JAX and the rules by hand give."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua.calculus import Graph, graph
from continua.core import ArgumentError, ArgumentTypeError

X = jnp.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = jnp.array([0.0, 1.0, 1.0, 0.0])


def cross_entropy(W1, b1, W2, b2):
    """XOR by one hidden layer."""
    hidden = jax.nn.sigmoid(X @ W1 + b1[None])
    p = jax.nn.sigmoid(hidden @ W2 + b2)
    return -jnp.sum(Y * jnp.log(p) + (1 - Y) * jnp.log(1 - p))


@pytest.fixture(scope="module")
def weights():
    keys = jax.random.split(jax.random.key(0), 4)
    return [jax.random.normal(key, shape) for key, shape in zip(keys, [(2, 3), (3,), (3,), ()], strict=True)]


@pytest.fixture(scope="module")
def xor(weights):
    return graph(cross_entropy, *weights)


def step(found, operation):
    """The only node of that operation."""
    (node,) = [node for node in found.nodes if node.operation == operation]
    return node


@pytest.mark.core
def test_adjoints_of_the_arguments_are_the_gradient(xor, weights):
    gradients = jax.jit(jax.grad(cross_entropy, (0, 1, 2, 3)))(*weights)
    for name, expected in zip(("W1", "b1", "W2", "b2"), gradients, strict=True):
        np.testing.assert_allclose(xor[name].adjoint, expected, rtol=1e-14, atol=1e-15)


def test_adjoints_inside_are_those_by_hand(xor):
    """δ = p − y behind the output's sigmoid; δ W₂ᵀ h (1 − h) behind the hidden one, with σ′ applied once."""
    read = {name: xor[name].value for name in ("W2",)}
    hidden, p = (node.value for node in xor.nodes if node.operation.startswith("σ"))
    before_hidden, before_output = (
        xor.nodes[node.inputs[0]].adjoint for node in xor.nodes if node.operation.startswith("σ")
    )
    np.testing.assert_allclose(before_output, p - Y, rtol=1e-12)
    np.testing.assert_allclose(before_hidden, np.outer(p - Y, read["W2"]) * hidden * (1 - hidden), rtol=1e-12)
    np.testing.assert_allclose(xor["b1"].adjoint, before_hidden.sum(0), rtol=1e-12)
    np.testing.assert_allclose(xor["W1"].adjoint, X.T @ before_hidden, rtol=1e-12, atol=1e-15)
    assert xor.nodes[-1].adjoint == 1


def test_every_adjoint_is_what_a_shift_of_its_node_does(xor):
    """Of the rest of the computation, written once more from each node on."""
    for operation, rest in {
        "σ(v3)": lambda h: rest_of_hidden(h, xor),
        "v4 @ W2": lambda z: rest_of_output(z + xor["b2"].value),
    }.items():
        node = step(xor, operation)
        np.testing.assert_allclose(node.adjoint, jax.grad(rest)(jnp.asarray(node.value)), rtol=1e-12)


def rest_of_output(z):
    p = jax.nn.sigmoid(z)
    return -jnp.sum(Y * jnp.log(p) + (1 - Y) * jnp.log(1 - p))


def rest_of_hidden(h, xor):
    return rest_of_output(h @ xor["W2"].value + xor["b2"].value)


def test_table_and_drawing_show_all(xor):
    table = str(xor).splitlines()
    assert table[0].split() == ["node", "is", "value", "∂output/∂node"]
    assert len(table) == len(xor.nodes) + 2
    assert any("[4×2] @ W1" in line for line in table)
    assert all(word in str(xor) for word in ("σ(v3)", "log v7", "−v14", "Σ v13"))
    drawn = xor.svg()
    assert drawn.startswith("<svg")
    assert all(f"{node.name} = " in drawn for node in xor.nodes if node.operation)


def test_calls_are_opened_and_rules_of_their_own_stay():
    def f(p, n):
        return jnp.sum(jax.nn.relu(p["w"] * n)) + jax.jit(jnp.sin)(p["b"])

    found = graph(f, {"w": jnp.ones(2), "b": 0.5}, 3)
    operations = [node.operation for node in found.nodes]
    assert operations[:3] == [""] * 3
    assert [node.name for node in found.nodes[:3]] == ["p.b", "p.w", "n"]
    assert any(word.startswith("relu(") for word in operations)
    assert "sin(p.b)" in operations
    assert found["n"].adjoint is None
    assert found["p.b"].adjoint == pytest.approx(np.cos(0.5))
    with pytest.raises(KeyError, match=r"no node `q`\. Got p\.b"):
        found["q"]


def test_kinks_have_the_derivative_that_jax_gives():
    """relu has 0 at 0; max(x, 0), written out, has 1/2."""
    assert graph(jax.nn.relu, 0.0)["x"].adjoint == jax.grad(jax.nn.relu)(0.0) == 0
    assert graph(lambda x: jnp.maximum(x, 0.0), 0.0)["x"].adjoint == 0.5


def test_what_does_not_vary_is_a_graph_too():
    assert graph(lambda x: x, 2.0)["x"].adjoint == 1
    (alone,) = graph(lambda x: 3.0, 2.0).nodes
    assert alone.adjoint == 0


def test_bad_input_is_one_line(xor):
    with pytest.raises(ArgumentTypeError, match=r"`args` of `graph` must hold numbers. Got 'word' at args\[1\]"):
        graph(lambda x, y: x, 1.0, "word")
    with pytest.raises(ArgumentError, match="`f` of `graph` must return one number"):
        graph(lambda x: x, jnp.ones(2))
    with pytest.raises(ArgumentError, match=r"`graph` must be called with numbers\. Got a value that JAX is tracing"):
        jax.jit(lambda x: graph(jnp.sin, x).nodes[0].value)(0.5)
    with pytest.raises(ArgumentError, match=r"can be drawn up to 150 nodes\. Got 190"):
        Graph(xor.nodes * 10).svg()
