// Evaluates FEEL expressions with feelin: `node oracle.mjs <path of feelin's index.js>` reads a JSON array of {expression, context}
// from standard input and writes a JSON array of {value} or {error}; with `--time N` it repeats each N times and adds {micros}.
import { pathToFileURL } from 'node:url';
import { readFileSync } from 'node:fs';

const [library, flag, repeat] = process.argv.slice(2);
const { evaluate } = await import(pathToFileURL(library).href);

function plain(value) {
  if (value === null || value === undefined) return null;
  if (typeof value === 'function') return { function: '' };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'object') {
    const name = value.constructor?.name;
    if (name === 'Object') return { context: Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)])) };
    if (name === 'Range') return { range: '' };
    return { temporal: String(value) };
  }
  return value;
}

const answers = [];
for (const { expression, context } of JSON.parse(readFileSync(0, 'utf8'))) {
  try {
    const answer = { value: plain(evaluate(expression, context).value) };
    if (flag === '--time') {
      const times = Number(repeat);
      for (let n = 0; n < times; n++) evaluate(expression, context);
      const start = process.hrtime.bigint();
      for (let n = 0; n < times; n++) evaluate(expression, context);
      answer.micros = Number(process.hrtime.bigint() - start) / 1000 / times;
    }
    answers.push(answer);
  } catch (error) {
    answers.push({ error: String(error.message).slice(0, 200) });
  }
}
process.stdout.write(JSON.stringify(answers));
