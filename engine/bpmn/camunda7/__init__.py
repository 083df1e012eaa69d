"""Import of Camunda 7 diagrams: `camunda:` attributes and simple `${...}` expressions become the zeebe dialect; the rest is listed."""

from engine.bpmn.camunda7.translate import Translation, is_camunda7, translate

__all__ = ["Translation", "is_camunda7", "translate"]
