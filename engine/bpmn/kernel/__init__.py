"""Tokens, scopes and variables: our subclasses of SpiffWorkflow's Task, BpmnWorkflow and BpmnSubWorkflow.

No prediction (a token exists when it is reached), joins count tokens per incoming flow, variables live in scopes, and the tree compacts
itself: what stays is live tokens, branching points and open containers. Elements (engine.bpmn.elements) give the behaviour.
"""
