// Lints diagrams exactly as Camunda Modeler does: prints one JSON line a finding; reads the file names from the command line.
import fs from 'node:fs';
import path from 'node:path';
import { Linter } from '@camunda/linting';
import { BpmnModdle } from 'bpmn-moddle';
import modeler from 'modeler-moddle/resources/modeler.json';
import zeebe from 'zeebe-bpmn-moddle/resources/zeebe.json';

const moddle = new BpmnModdle({ zeebe, modeler });
for (const file of process.argv.slice(2)) {
  const { rootElement, warnings } = await moddle.fromXML(fs.readFileSync(file, 'utf8'));
  const resource = path.basename(file);
  for (const warning of warnings) console.log(JSON.stringify({ resource, category: 'error', id: '', rule: 'xml', message: warning.message }));
  for (const found of await new Linter({ type: 'cloud' }).lint(rootElement)) {
    console.log(JSON.stringify({ resource, category: found.category, id: found.id, rule: found.rule, message: found.message }));
  }
  console.log(JSON.stringify({ resource, category: 'linted', version: rootElement.get('modeler:executionPlatformVersion') }));
}
