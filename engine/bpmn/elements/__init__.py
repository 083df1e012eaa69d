"""The BPMN elements: one module per family. A module's docstring is the family's specification: what happens on activate, complete and
cancel, and where it differs from the common life cycle in engine.bpmn.kernel.element.
"""
