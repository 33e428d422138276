"""Kennedy and Carpenter's implicit–explicit pair 3(2)."""

from continua.methods.additive import AdditiveRungeKutta, extrapolated
from continua.methods.diagonally_implicit import ImplicitTableau

_GAMMA = 1767732205903 / 4055673282236
_B = [1471266399579 / 7840856788654, -4482444167858 / 7529755066697, 11266239266428 / 11593286722821, _GAMMA]
_B_LOW = [
    2756255671327 / 12835298489170,
    -10771552573575 / 22201958757719,
    9247589265047 / 10645013368117,
    2193209047091 / 5459859503100,
]
_C = [0.0, 2 * _GAMMA, 3 / 5, 1.0]


class KenCarp3(AdditiveRungeKutta):
    r"""Implicit–explicit pair of order 3 with an embedded order-2 estimate: ARK3(2)4L[2]SA.

    $$ Y_i = y_n + h \sum_{j \le i} a_{ij}\, \text{stiff}(Y_j) + h \sum_{j < i} \hat a_{ij}\, \text{rest}(Y_j) $$

    Four stages; L-stable and stiffly accurate in the stiff part.

    Good for: a `SplitODE` at rtol 1e-2 … 1e-4: reactions with diffusion, advection with diffusion.

    Source: Kennedy & Carpenter, Appl. Numer. Math. 44 (2003) 139–181, appendix C.
    """

    order = 3
    dense_order = 2
    tableau = ImplicitTableau(
        c=_C,
        a=[
            [0.0],
            [_GAMMA, _GAMMA],
            [2746238789719 / 10658868560708, -640167445237 / 6845629431997, _GAMMA],
            _B,
        ],
        b=_B,
        b_error=[b - low for b, low in zip(_B, _B_LOW, strict=True)],
        predictor=extrapolated(_C),
        dense=[
            [4655552711362 / 22874653954995, -215264564351 / 13552729205753],
            [-18682724506714 / 9892148508045, 17870216137069 / 13817060693119],
            [34259539580243 / 13192909600954, -28141676662227 / 17317692491321],
            [584795268549 / 6622622206610, 2508943948391 / 7218656332882],
        ],
    )
    explicit = (
        [],
        [2 * _GAMMA],
        [5535828885825 / 10492691773637, 788022342437 / 10882634858940],
        [6485989280629 / 16251701735622, -4246266847089 / 9704473918619, 10755448449292 / 10357097424841],
    )
