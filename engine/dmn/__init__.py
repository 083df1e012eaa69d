"""DMN 1.2-1.5 in pure Python: decision tables, boxed expressions, requirements graphs, on top of engine/feel.

model = parse_dmn(xml, "variant.dmn")
model.findings                                   # what is wrong, before anything is stored
model.evaluate("variant", {"area": 1200}).value  # with .trace: inputs, matched rules and outputs per decision
"""

from engine.dmn.graph import DecisionModel, DecisionResult
from engine.dmn.model import Decision
from engine.dmn.parse import parse_dmn
from engine.dmn.xml import DmnInvalid

__all__ = ["Decision", "DecisionModel", "DecisionResult", "DmnInvalid", "parse_dmn"]
