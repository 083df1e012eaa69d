// The lint rules in the shape that the Modeler takes: a configuration, and a resolver that throws at once for what is not ours.
const { configs } = require("../../bpmnlint-plugin-lianban");

const HINT = /-hint$/;

module.exports = {
  config: configs.all,
  resolver: {
    resolveRule(plugin, name) {
      if (plugin !== "bpmnlint-plugin-lianban") throw new Error(`not ours: ${plugin}`);
      return HINT.test(name)
        ? require(`../../bpmnlint-plugin-lianban/rules/hints/${name.replace(HINT, "")}.js`)
        : require(`../../bpmnlint-plugin-lianban/rules/${name}.js`);
    },
    resolveConfig(plugin) {
      throw new Error(`not ours: ${plugin}`);
    },
  },
};
