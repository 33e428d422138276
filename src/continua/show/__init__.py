"""Ground floor: what a person sees: equations as text and MathML, figures, and a page that holds them."""

from continua.show.decimals import format_number, format_uncertain
from continua.show.expression import Expression, Symbol, evaluate, expand
from continua.show.figures import PALETTE, new_figure, svg
from continua.show.from_jaxpr import NotExpressible, trace_expressions
from continua.show.mathml import mathml, mathml_equation
from continua.show.page import Code, Figure, Heading, Maths, Section, TableOf, Text, page
from continua.show.text import text

__all__ = [
    "PALETTE",
    "Code",
    "Expression",
    "Figure",
    "Heading",
    "Maths",
    "NotExpressible",
    "Section",
    "Symbol",
    "TableOf",
    "Text",
    "evaluate",
    "expand",
    "format_number",
    "format_uncertain",
    "mathml",
    "mathml_equation",
    "new_figure",
    "page",
    "svg",
    "text",
    "trace_expressions",
]
