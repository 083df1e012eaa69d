// Parallel branches that run together into an element that does not join. As engine/bpmn/lint/joining.py.
const { scopeRule } = require("../scope");

const JOINING = ["bpmn:ParallelGateway", "bpmn:InclusiveGateway", "bpmn:ComplexGateway"];

module.exports = scopeRule(function* find(scope) {
  const elements = [...scope.elements.values()];
  const entering = (element) => scope.incoming.get(element.id) || [];
  const joins = elements.filter((e) => JOINING.includes(e.$type) && entering(e).length > 1);
  const merges = elements.filter((e) => entering(e).length > 1 && !joins.includes(e) && e.$type !== "bpmn:EndEvent");
  for (const split of elements.filter((element) => splits(scope, element))) {
    const barrier = [...joins.map(({ id }) => id), split.id];
    const merge = merges.find((candidate) => candidate !== split && unjoined(scope, split.id, candidate.id, barrier));
    if (merge) yield [merge, `“${split.name || split.id}”之后的并行分支没有汇聚就合到这里，后面会各走一遍。`];
  }
});

function splits(scope, element) {
  const flows = scope.outgoing.get(element.id) || [];
  if (flows.length < 2 || (element.$type.endsWith("Gateway") && element.$type !== "bpmn:ParallelGateway")) return false;
  return flows.every((flow) => !flow.conditionExpression);
}

function unjoined(scope, split, merge, barrier) {
  const sources = scope.incoming.get(merge).map((flow) => flow.sourceRef?.id);
  const taken = [];
  for (const flow of scope.outgoing.get(split)) {
    const target = flow.targetRef?.id;
    const before = target === merge ? new Set([split]) : scope.reachable([target], new Set([...barrier, merge]));
    const ways = sources.map((source, index) => (before.has(source) ? index : -1)).filter((index) => index >= 0);
    if (ways.length) taken.push(ways);
  }
  return taken.length > 1 && new Set(taken.flat()).size > 1;
}
