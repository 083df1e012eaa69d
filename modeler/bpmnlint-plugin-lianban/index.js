// bpmnlint's entry: the rules by name, and how grave each is. The list is data for the Modeler plug-in too.
const HOUSE = ["legal-basis", "unit", "limit", "item", "statutory-limit", "milestone-limit", "job-type"];
const ERRORS = ["deadlock", "condition", "implementation", "subscription", "event-gateway", "loop", "priority", "variable-name", "timer"];
const WARNINGS = ["unreachable", "unjoined", "default-flow", "assignment", "form", "decision", "called-process", "group"];
const HINTS = ["confusing-name"];

const all = (names, path, severity) => names.map((name) => ({ name: path ? `${name}-hint` : name, path: `./rules/${path}${name}`, severity }));
const rules = [
  ...all(HOUSE, "", "error"),
  ...all(HOUSE, "hints/", "info"),
  ...all(ERRORS, "", "error"),
  ...all(WARNINGS, "", "warn"),
  ...all(HINTS, "", "info"),
];

module.exports = {
  configs: { all: { rules: Object.fromEntries(rules.map(({ name, severity }) => [`lianban/${name}`, severity])) } },
  rules: Object.fromEntries(rules.map(({ name, path }) => [name, path])),
};
