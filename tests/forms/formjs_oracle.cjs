// Runs real form-js in jsdom: reads {cases: [{schema, context, submission}], expressions: [{text, unary, context}]} from stdin,
// writes {cases: [{data, errors, fields}], expressions: [{value}]} to stdout. NODE_MODULES says where the packages are.
// A case is shown with `context`; then the values of `submission` are put in as if somebody had typed them.
const path = require("node:path");
const { createRequire } = require("node:module");
const load = createRequire(path.join(process.env.NODE_MODULES, "index.js"));

const { JSDOM } = load("jsdom");
const dom = new JSDOM("<!doctype html><div id='form'></div>", { pretendToBeVisual: true, url: "http://localhost/" });
for (const name of ["window", "document", "HTMLElement", "Element", "Node", "Event", "CustomEvent", "MutationObserver", "DocumentFragment",
  "getComputedStyle", "requestAnimationFrame", "cancelAnimationFrame", "DOMParser", "SVGElement", "Text", "KeyboardEvent", "File", "Blob"]) {
  if (globalThis[name] === undefined) globalThis[name] = name === "window" ? dom.window : dom.window[name];
}
globalThis.window = dom.window;
Object.defineProperty(globalThis, "navigator", { value: dom.window.navigator, configurable: true });
dom.window.DataTransfer = globalThis.DataTransfer = class { constructor() { this.items = { add() {} }; this.files = null; } };
dom.window.requestAnimationFrame = globalThis.requestAnimationFrame = (callback) => setTimeout(callback, 0);
dom.window.cancelAnimationFrame = globalThis.cancelAnimationFrame = clearTimeout;
dom.window.ResizeObserver = globalThis.ResizeObserver = class { observe() {} unobserve() {} disconnect() {} };
const errors = console.error;
console.error = () => {};

const { Form } = load("@bpmn-io/form-js-viewer");
const feelin = load("@bpmn-io/feelin"); // the one that form-js itself uses

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

function overlay(data, submission) {
  if (Array.isArray(submission)) {
    return submission.map((row, index) => (isObject(row) ? overlay((Array.isArray(data) && data[index]) || {}, row) : row));
  }
  const merged = { ...data };
  for (const [key, value] of Object.entries(submission)) {
    merged[key] = isObject(value) || (Array.isArray(value) && value.some(isObject)) ? overlay(merged[key], value) : value;
  }
  return merged;
}

function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

// Expressions and conditions follow each other through several renderings: wait until three in a row change nothing.
async function untilQuiet(form) {
  let before = "";
  for (let quiet = 0, round = 0; quiet < 3 && round < 100; round += 1) {
    await settle();
    const now = JSON.stringify([form._getState().data, form.get("formFieldInstanceRegistry").getAll().length]);
    quiet = now === before ? quiet + 1 : 0;
    before = now;
  }
}

async function submit({ schema, context, submission }) {
  const container = document.createElement("div");
  document.body.appendChild(container);
  const form = new Form({ container });
  try {
    await form.importSchema(schema, context);
    await settle();
    form._setState({ data: overlay(form._getState().data, submission) });
    await untilQuiet(form);
    const result = form.submit();
    return { data: result.data, errors: Object.keys(result.errors).length > 0, fields: Object.keys(result.errors) };
  } catch (problem) {
    return { failed: String(problem) };
  } finally {
    form.destroy();
    container.remove();
  }
}

function plain(value) {
  if (value === undefined || value === null) return null;
  if (typeof value === "function") return "function";
  if (typeof value === "object" && typeof value.iso === "string") return value.iso;
  if (typeof value === "object" && typeof value.toISO === "function") return value.toISO({ suppressMilliseconds: true });
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  return value;
}

function evaluate({ text, unary, context }) {
  try {
    const run = unary ? feelin.unaryTest : feelin.evaluate;
    return { value: plain(run(text, context).value) };
  } catch (problem) {
    return { failed: String(problem) };
  }
}

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const request = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  const cases = [];
  for (const one of request.cases || []) cases.push(await submit(one));
  process.stdout.write(JSON.stringify({ cases, expressions: (request.expressions || []).map(evaluate) }));
  process.exit(0);
}

main().catch((problem) => {
  errors(problem);
  process.exit(1);
});
