"""Chains as dense problems, for comparison."""

import numpy as np


def dense(chain):
    """The whole Jacobian: the rows of all segments, then those of the ties; the columns are (u, nodes)."""
    segments, rows, states = chain.by_node.shape
    parameters = chain.by_parameter.shape[-1]
    jacobian = np.zeros((segments * rows + (segments - 1) * states, parameters + segments * states))
    jacobian[:, :parameters] = np.concatenate(
        [chain.by_parameter.reshape(-1, parameters), chain.gap_by_parameter.reshape(-1, parameters)]
    )
    for k in range(segments):
        own = slice(parameters + k * states, parameters + (k + 1) * states)
        jacobian[k * rows : (k + 1) * rows, own] = chain.by_node[k]
    for k in range(segments - 1):
        row = slice(segments * rows + k * states, segments * rows + (k + 1) * states)
        own, following = (slice(parameters + j * states, parameters + (j + 1) * states) for j in (k, k + 1))
        jacobian[row, own], jacobian[row, following] = chain.gap_by_node[k], np.diag(chain.gap_by_next[k])
    return jacobian
