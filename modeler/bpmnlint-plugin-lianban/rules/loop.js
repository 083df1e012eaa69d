// A multi-instance has an input collection; output collection and output element go together. As engine/bpmn/lint/loops.py.
const { extension } = require("../extensions");

module.exports = () => ({
  check(node, reporter) {
    if (node.loopCharacteristics?.$type !== "bpmn:MultiInstanceLoopCharacteristics") return;
    const loop = extension(node.loopCharacteristics, "zeebe:LoopCharacteristics") || {};
    if (!loop.inputCollection && !node.loopCharacteristics.loopCardinality) reporter.report(node.id, "多实例没有输入集合。");
    if (Boolean(loop.outputCollection) !== Boolean(loop.outputElement)) reporter.report(node.id, "输出集合和输出元素必须同时给出。");
  },
});
