// An element that no start event leads to. As engine/bpmn/lint/structure.py.
const { scopeRule } = require("../scope");

module.exports = scopeRule(function* find(scope) {
  const reached = scope.reachable(scope.entries());
  for (const [id, element] of scope.elements) {
    if (!reached.has(id) && !element.isForCompensation && element.$type !== "bpmn:BoundaryEvent") {
      yield [element, "从启动事件到不了这个元素。"];
    }
  }
});
