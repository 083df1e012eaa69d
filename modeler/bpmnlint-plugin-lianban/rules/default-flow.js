// A choosing gateway without a default flow raises an incident when no condition holds. As engine/bpmn/lint/structure.py.
const CHOOSING = ["bpmn:ExclusiveGateway", "bpmn:InclusiveGateway"];

module.exports = () => ({
  check(node, reporter) {
    if (CHOOSING.includes(node.$type) && (node.outgoing || []).length > 1 && !node.default) {
      reporter.report(node.id, "网关没有默认流向：没有条件成立时会产生异常。");
    }
  },
});
