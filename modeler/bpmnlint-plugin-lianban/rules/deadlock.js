// A parallel join that waits for flows of which a split ever takes only one. As engine/bpmn/lint/deadlock.py, certain cases only.
const { scopeRule } = require("../scope");

const CHOOSING = ["bpmn:ExclusiveGateway", "bpmn:EventBasedGateway"];

module.exports = scopeRule(function* find(scope) {
  const elements = [...scope.elements.values()];
  const splits = elements.filter((e) => CHOOSING.includes(e.$type) && (scope.outgoing.get(e.id) || []).length > 1);
  for (const join of elements) {
    const sources = (scope.incoming.get(join.id) || []).map((flow) => flow.sourceRef?.id);
    if (join.$type !== "bpmn:ParallelGateway" || sources.length < 2) continue;
    const split = splits.find((candidate) => deadlocks(scope, candidate.id, join.id, sources));
    if (split) yield [join, `并行汇聚在排他分支“${split.name || split.id}”之后：只会有一个分支到达，汇聚永远等不齐。`];
    else if (waitsForItself(scope, join.id, sources)) yield [join, "并行汇聚要等从它自己之后返回的流向，第一次就永远等不到。"];
  }
});

function deadlocks(scope, split, join, sources) {
  if (scope.reachable(scope.entries(), new Set([split])).has(join)) return false;
  let reachesJoin = false;
  for (const flow of scope.outgoing.get(split)) {
    const target = flow.targetRef?.id;
    const region = target === join ? new Set() : scope.reachable([target], new Set([split, join]));
    const fed = sources.filter((source) => region.has(source) || (source === split && target === join)).length;
    if (fed === sources.length) return false;
    if (fed && [...region].some((id) => (scope.successors.get(id) || []).includes(split))) return false;
    reachesJoin = reachesJoin || fed > 0;
  }
  return reachesJoin;
}

function waitsForItself(scope, join, sources) {
  const before = scope.reachable(scope.entries(), new Set([join]));
  const behind = scope.reachable([join]);
  return sources.some((source) => !before.has(source) && behind.has(source));
}
