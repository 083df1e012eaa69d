// Every flow of a choosing gateway has a condition, or is the default flow and has none. As engine/bpmn/lint/structure.py.
const CHOOSING = ["bpmn:ExclusiveGateway", "bpmn:InclusiveGateway"];

module.exports = () => ({
  check(node, reporter) {
    if (!CHOOSING.includes(node.$type) || (node.outgoing || []).length < 2) return;
    for (const flow of node.outgoing) {
      if (flow === node.default && flow.conditionExpression) reporter.report(flow.id, "默认流向不能有条件。");
      if (flow !== node.default && !flow.conditionExpression) {
        reporter.report(flow.id, `网关“${node.name || node.id}”的流向 ${flow.id} 没有条件，也不是默认流向。`);
      }
    }
  },
});
