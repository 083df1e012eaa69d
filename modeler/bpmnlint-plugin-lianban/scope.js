// One scope of a diagram (a process or a subprocess): its flow nodes, and what can come after what. As engine/bpmn/lint/findings.py.
const { is } = require("./extensions");

class Scope {
  constructor(container) {
    this.container = container;
    this.elements = new Map((container.flowElements || []).filter((e) => is(e, "bpmn:FlowNode")).map((e) => [e.id, e]));
    this.flows = (container.flowElements || []).filter((e) => e.$type === "bpmn:SequenceFlow");
    this.incoming = this.by("targetRef");
    this.outgoing = this.by("sourceRef");
    this.successors = this.allSuccessors();
  }

  by(end) {
    const grouped = new Map();
    for (const flow of this.flows) {
      const id = flow[end]?.id;
      grouped.set(id, [...(grouped.get(id) || []), flow]);
    }
    return grouped;
  }

  allSuccessors() {
    const after = new Map([...this.elements.keys()].map((id) => [id, []]));
    const add = (from, to) => after.get(from)?.push(to);
    for (const flow of this.flows) add(flow.sourceRef?.id, flow.targetRef?.id);
    for (const element of this.elements.values()) if (element.attachedToRef) add(element.attachedToRef.id, element.id);
    for (const artifact of this.container.artifacts || []) {
      if (artifact.$type === "bpmn:Association") add(artifact.sourceRef?.id, artifact.targetRef?.id);
    }
    this.links(add);
    return after;
  }

  links(add) {
    const link = (element) => (element.eventDefinitions || []).find((d) => d.$type === "bpmn:LinkEventDefinition")?.name;
    const all = [...this.elements.values()].filter((element) => link(element) !== undefined);
    for (const thrower of all.filter((e) => e.$type === "bpmn:IntermediateThrowEvent")) {
      const target = all.find((e) => e.$type === "bpmn:IntermediateCatchEvent" && link(e) === link(thrower));
      if (target) add(thrower.id, target.id);
    }
  }

  /** Everything that can be reached from `starts`, themselves included, without entering an element of `without`. */
  reachable(starts, without = new Set()) {
    const seen = new Set();
    const stack = [...starts];
    while (stack.length) {
      const id = stack.pop();
      if (seen.has(id) || without.has(id)) continue;
      seen.add(id);
      stack.push(...(this.successors.get(id) || []));
    }
    return seen;
  }

  /** Where tokens come from: start events and event subprocesses, or without start events whatever nothing leads to. */
  entries() {
    const ids = [...this.elements.keys()];
    const listeners = ids.filter((id) => this.elements.get(id).triggeredByEvent);
    const starts = ids.filter((id) => this.elements.get(id).$type === "bpmn:StartEvent");
    if (starts.length && this.container.$type !== "bpmn:AdHocSubProcess") return [...starts, ...listeners];
    const targets = new Set([...this.successors.values()].flat());
    return [...listeners, ...ids.filter((id) => !targets.has(id))];
  }
}

/** A rule that looks at every scope of executable processes. */
const scopeRule = (find) => () => ({
  check(node, reporter) {
    if (!is(node, "bpmn:FlowElementsContainer")) return;
    for (const [element, message] of find(new Scope(node))) reporter.report(element.id, message);
  },
});

module.exports = { Scope, scopeRule };
