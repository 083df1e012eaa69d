// The target of an io mapping is a variable name or a dotted path. As engine/bpmn/lint/bindings.py.
const { extension } = require("../extensions");

const VARIABLE = /^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u;

module.exports = () => ({
  check(node, reporter) {
    const { inputParameters = [], outputParameters = [] } = extension(node, "zeebe:IoMapping") || {};
    for (const { target = "" } of [...inputParameters, ...outputParameters]) {
      if (!VARIABLE.test(target.trim())) reporter.report(node.id, `映射目标“${target}”不是变量名。`);
    }
  },
});
