"""Ground floor: what a person sees: equations as text and MathML, figures, and a page that holds them."""

from continua.show.decimals import format_number, format_uncertain
from continua.show.document import Code, Figure, Heading, Maths, Section, TableOf, Text, page
from continua.show.expression import Expression, Symbol, evaluate, expand
from continua.show.figures import PALETTE, new_figure, svg
from continua.show.from_jaxpr import NotExpressible, trace_expressions
from continua.show.plain_text import text
from continua.show.presentation import mathml, mathml_equation

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
