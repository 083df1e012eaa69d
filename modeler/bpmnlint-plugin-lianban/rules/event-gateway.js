// Only catch events and receive tasks follow an event-based gateway (BPMN 10.6.6). As engine/bpmn/lint/structure.py.
const WAITING = ["bpmn:IntermediateCatchEvent", "bpmn:ReceiveTask"];

module.exports = () => ({
  check(node, reporter) {
    if (node.$type !== "bpmn:EventBasedGateway") return;
    for (const { targetRef } of node.outgoing || []) {
      if (targetRef && !WAITING.includes(targetRef.$type)) reporter.report(targetRef.id, "事件网关之后只能是捕获事件或接收任务。");
    }
  },
});
