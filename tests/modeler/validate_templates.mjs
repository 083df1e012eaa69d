// Camunda's own validator over element template files: prints [[file, template, message], ...] of what is wrong.
import fs from "node:fs";
import path from "node:path";
import { validateAllZeebe } from "@bpmn-io/element-templates-validator";

const wrong = [];
for (const file of process.argv.slice(2)) {
  for (const { valid, object, errors } of validateAllZeebe(JSON.parse(fs.readFileSync(file, "utf8"))).results) {
    if (!valid) wrong.push([path.basename(file), object.id, errors.map(({ message }) => message).join("; ")]);
  }
}
console.log(JSON.stringify(wrong));
