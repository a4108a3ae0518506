"""Ways to look at a packet: one line, tree, hexdump, header diagram, expression, JSON, and a ladder of many.

All of them take what they show from the declarations of the headers, and give text; none of them prints.
"""

from rawkit.views.diagram import diagram
from rawkit.views.expression import read_expression, read_sweep, to_expression
from rawkit.views.fields import WiresharkFields, wireshark_fields, wireshark_values
from rawkit.views.hexdump import dump_bytes, hexdump
from rawkit.views.json import as_object, json_line
from rawkit.views.ladder import Crossing, crossings, label, ladder
from rawkit.views.line import Captured, comment_lines, line, time_text
from rawkit.views.tree import tree

__all__ = [
    "Captured",
    "Crossing",
    "WiresharkFields",
    "as_object",
    "comment_lines",
    "crossings",
    "diagram",
    "dump_bytes",
    "hexdump",
    "json_line",
    "label",
    "ladder",
    "line",
    "read_expression",
    "read_sweep",
    "time_text",
    "to_expression",
    "tree",
    "wireshark_fields",
    "wireshark_values",
]
