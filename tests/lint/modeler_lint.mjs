// Lints diagrams exactly as Camunda Modeler with our plug-in does: prints {file name: [[element id, rule], ...]} of our own rules.
import fs from "node:fs";
import path from "node:path";
import { Linter } from "@camunda/linting";
import { BpmnModdle } from "bpmn-moddle";
import modeler from "modeler-moddle/resources/modeler.json";
import zeebe from "zeebe-bpmn-moddle/resources/zeebe.json";
import plugin from "../../modeler/plugins/lianban/lint-rules.js";

const moddle = new BpmnModdle({ zeebe, modeler });
const linter = new Linter({ type: "cloud", plugins: [plugin] });
const found = {};
for (const file of process.argv.slice(2)) {
  const { rootElement } = await moddle.fromXML(fs.readFileSync(file, "utf8"));
  const findings = await linter.lint(rootElement);
  const broken = findings.filter(({ category }) => category === "rule-error");
  if (broken.length) throw new Error(`${file}: ${JSON.stringify(broken)}`);
  found[path.basename(file)] = findings
    .filter(({ rule }) => rule.startsWith("lianban/"))
    .map(({ id, rule, category, message }) => [id, rule.slice("lianban/".length), category, message]);
}
console.log(JSON.stringify(found));
