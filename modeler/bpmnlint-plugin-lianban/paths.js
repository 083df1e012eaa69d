// The longest way through a process by the limits of its tasks, in working days. As handlers/diagram_rules/paths.py.
const { is, properties } = require("./extensions");

/** Working days that count against the clock: property `limit`, unless `countsTime` is false (行政许可法 45). */
function limitOf(element) {
  const { limit = "", countsTime } = properties(element);
  return /^\d+$/.test(limit.trim()) && countsTime !== "false" ? Number(limit) : 0;
}

/** {days, elements}: the way with the largest sum; flows that lead back are not taken. */
function criticalPath(container) {
  const nodes = (container.flowElements || []).filter((element) => is(element, "bpmn:FlowNode"));
  const after = new Map(nodes.map((node) => [node, successors(node, nodes)]));
  const best = new Map();
  let longest = { days: 0, elements: [] };
  for (const node of postorder(nodes, after)) {
    const own = ownWay(node);
    let rest = { days: 0, elements: [] };
    for (const target of after.get(node)) if (best.has(target) && best.get(target).days > rest.days) rest = best.get(target);
    const way = { days: own.days + rest.days, elements: [...own.elements, ...rest.elements] };
    best.set(node, way);
    if (way.days > longest.days) longest = way;
  }
  return longest;
}

function ownWay(node) {
  const days = limitOf(node);
  return days || !node.flowElements ? { days, elements: days ? [node] : [] } : criticalPath(node);
}

function successors(node, nodes) {
  const flows = (node.outgoing || []).slice().sort((a, b) => (b === node.default) - (a === node.default));
  return [...flows.map((flow) => flow.targetRef), ...nodes.filter((other) => other.attachedToRef === node)];
}

function postorder(nodes, after) {
  const done = [];
  const seen = new Set();
  for (const start of nodes) {
    const stack = seen.has(start) ? [] : [[start, 0]];
    seen.add(start);
    while (stack.length) {
      const [node, position] = stack.pop();
      const target = after.get(node)[position];
      if (target === undefined) {
        done.push(node);
        continue;
      }
      stack.push([node, position + 1]);
      if (after.has(target) && !seen.has(target)) {
        seen.add(target);
        stack.push([target, 0]);
      }
    }
  }
  return done;
}

module.exports = { criticalPath, limitOf };
