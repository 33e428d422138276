"""Ground floor: what a person sees: equations as text and MathML, figures, and a page that holds them."""

from continua.show.decimals import format_number, format_uncertain
from continua.show.document import page
from continua.show.expression import (
    FUNCTIONS,
    MINUS_ONE,
    Call,
    Expression,
    Number,
    Power,
    Product,
    Sum,
    Symbol,
    add,
    call,
    evaluate,
    expand,
    multiply,
    negate,
    power,
    substitute,
    symbols_of,
)
from continua.show.figures import PALETTE, figure_files, new_figure, svg, svg_and_files
from continua.show.from_jaxpr import NotExpressible, trace_expressions
from continua.show.graph_drawing import Box, layered_graph
from continua.show.plain_text import text
from continua.show.presentation import mathml, mathml_equation
from continua.show.sections import Callout, Code, Details, Figure, Heading, Maths, Section, TableOf, Text
from continua.show.terms import Term, is_coefficient, terms_of

__all__ = [
    "FUNCTIONS",
    "MINUS_ONE",
    "PALETTE",
    "Box",
    "Call",
    "Callout",
    "Code",
    "Details",
    "Expression",
    "Figure",
    "Heading",
    "Maths",
    "NotExpressible",
    "Number",
    "Power",
    "Product",
    "Section",
    "Sum",
    "Symbol",
    "TableOf",
    "Term",
    "Text",
    "add",
    "call",
    "evaluate",
    "expand",
    "figure_files",
    "format_number",
    "format_uncertain",
    "is_coefficient",
    "layered_graph",
    "mathml",
    "mathml_equation",
    "multiply",
    "negate",
    "new_figure",
    "page",
    "power",
    "substitute",
    "svg",
    "svg_and_files",
    "symbols_of",
    "terms_of",
    "text",
    "trace_expressions",
]
