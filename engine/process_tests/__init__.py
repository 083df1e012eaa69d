"""Tests that analysts write for their diagrams: scenarios in a JSON file, run in memory, with the coverage of the diagram."""

from engine.process_tests.coverage import Coverage
from engine.process_tests.run import Library, Report, run_scenarios
from engine.process_tests.scenario import Given, Scenario, ScenarioInvalid, Step, read_scenarios

__all__ = ["Coverage", "Given", "Library", "Report", "Scenario", "ScenarioInvalid", "Step", "read_scenarios", "run_scenarios"]
