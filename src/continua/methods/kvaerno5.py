"""Kværnø's ESDIRK pair 5(4): stiff equations by Newton's iteration."""

from continua.methods.diagonally_implicit import DiagonallyImplicitRungeKutta, ImplicitTableau

_A6 = [0.13855640231268224, 0.0, -0.04245337201752043, 0.02446657898003141, 0.61943039072480676, 0.26]
_A7 = [
    0.13659751177640291,
    0.0,
    -0.05496908796538376,
    -0.04118626728321046,
    0.62993304899016403,
    0.06962479448202728,
    0.26,
]

# Of the quartics that fulfil all conditions up to order 4 and meet both ends with both slopes, that of least norm.
_DENSE = [
    [1.0, -2.0720375887956775, 1.6904652246969658, -0.4818301241248864],
    [0.0, 0.0, 0.0, 0.0],
    [0.0, 0.8427243190616465, -1.9053249899848335, 1.0076315829578022],
    [0.0, -0.6665857136422382, 1.1684263581516343, -0.5430269117926072],
    [0.0, 3.2569288143993407, -3.9941254328380262, 1.3671296674288502],
    [0.0, -0.6050255205696913, 1.4885502190674953, -0.813899904015777],
    [0.0, -0.7560043104533809, 1.5520086209067672, -0.5360043104533845],
]


class Kvaerno5(DiagonallyImplicitRungeKutta):
    r"""ESDIRK pair of order 5 with an embedded order-4 estimate, both stiffly accurate, seven stages, L-stable.

    $$ Y_i = y_n + h \sum_{j=1}^{i} a_{ij} f(t_n + c_j h, Y_j), \qquad y_{n+1} = Y_7, \qquad e = Y_7 - Y_6 $$

    Good for: stiff problems at rtol 1e-3 … 1e-8, larger ones too, since one factorisation serves every stage. Dense
    output of order 4, with continuous slopes.

    Source: Kværnø, Singly diagonally implicit Runge–Kutta methods with an explicit first stage, BIT 44 (2004) 489–502,
    ESDIRK5/4; starting slopes as in OrdinaryDiffEq.jl (sdirk_tableaus.jl).
    """

    order = 5
    tableau = ImplicitTableau(
        c=[0.0, 0.52, 1.230333209967908, 0.8957659843500759, 0.43639360985864756, 1.0, 1.0],
        a=[
            [0.0],
            [0.26, 0.26],
            [0.13, 0.84033320996790809, 0.26],
            [0.22371961478320505, 0.47675532319799699, -0.06470895363112615, 0.26],
            [0.16648564323248321, 0.10450018841591720, 0.03631482272098715, -0.13090704451073998, 0.26],
            _A6,
            _A7,
        ],
        b=_A7,
        b_error=[b - a for b, a in zip(_A7, [*_A6, 0.0], strict=True)],
        predictor=[
            [],
            [1.0],
            [-1.366025403784441, 2.3660254037844357],
            [-0.19650552613122207, 0.8113579546496623, 0.38514757148155954],
            [0.10375304369958693, 0.937994698066431, -0.04174774176601781],
            [-0.17281112873898072, 0.6235784481025847, 0.5492326806363959],
            _A6,
        ],
        dense=_DENSE,
    )
