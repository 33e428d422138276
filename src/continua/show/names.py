"""How a parameter's name is printed: alpha as α, omega_0 as ω with a subscript."""

import re

GREEK_WORDS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu "
    "nu xi omicron pi rho sigma tau upsilon phi chi psi omega"
)
SMALL_GREEK = "αβγδεζηθικλμνξοπρστυφχψω"
GREEK: dict[str, str] = dict(zip(GREEK_WORDS.split(), SMALL_GREEK, strict=True))
GREEK |= {word.capitalize(): letter.upper() for word, letter in GREEK.items()}

SUBSCRIPTED = re.compile(r"([^\W\d_]+)_?(\d[\d,]*)|([^\W_]+)_(\S+)")


def split_name(name: str) -> tuple[str, str]:
    """The letter or word, Greek where it names a Greek letter, and its subscript ("" for none).

    Example:
        >>> split_name("omega_0"), split_name("A_12"), split_name("lambda_"), split_name("k_cat")
        (('ω', '0'), ('A', '12'), ('λ', ''), ('k', 'cat'))
    """
    tidy = name.rstrip("_") or name
    found = SUBSCRIPTED.fullmatch(tidy)
    if not found:
        return GREEK.get(tidy, tidy), ""
    word, subscript = (found[1], found[2]) if found[1] else (found[3], found[4])
    return GREEK.get(word, word), subscript.replace("_", ",")
