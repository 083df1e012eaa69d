"""Process tests of our own diagrams: `processes/<process>.scenarios.json` beside `<process>.bpmn`."""
