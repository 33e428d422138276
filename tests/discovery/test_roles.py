"""What a parameter of a written law is said to mean: what it multiplies, and where."""

import pytest

from continua.discovery.family import WrittenFamily
from continua.equations import read_equation

TEXT = """
[equations]
hare = "a*hare - b*hare*lynx + c"
lynx = "-(g + d*lynx)*lynx + m*hare/(K + hare) + w*sin(omega*t)"
"""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a", "coefficient of hare in d hare/dt"),
        ("b", "coefficient of hare·lynx in d hare/dt"),
        ("c", "constant in d hare/dt"),
        ("g", "coefficient of lynx in d lynx/dt"),
        ("d", "coefficient of lynx² in d lynx/dt"),
        ("K", "in d lynx/dt"),
        ("omega", "in d lynx/dt"),
    ],
)
def test_each_parameter_says_what_it_multiplies(name, said):
    written = read_equation(TEXT)
    family = WrittenFamily("a law", 2, written)
    assert family.described[name].meaning == said
