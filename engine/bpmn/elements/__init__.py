"""The BPMN elements: one module per element, one per kind of event, and what several of them share.

A module's docstring is the element's specification: what happens on activate, complete and cancel, and where it differs from the common
life cycle in engine.bpmn.kernel.element.
"""
