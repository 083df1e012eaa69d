"""Syntax tree -> Python closures. Each node kind registers a function that returns a closure `frame -> FEEL value`.

Nothing is generated as source text and nothing is evaluated by Python: closures call closures.
"""
