// The playground: what is typed is evaluated by the server a moment later, kept in this browser, and mistakes can be jumped to.
//   form[data-playground=key] -> #playground-result; [data-select=field][data-start][data-end] selects that stretch of the field
import "./playground.css";
import { say } from "./messages.js";

const THINK = 350; // ms after the last key
const FIELDS = ["expression", "value", "context"];

const form = document.querySelector("[data-playground]");
const output = document.getElementById("playground-result");
const note = form.querySelector("[data-play-note]");
const key = `playground:${form.dataset.playground}`;
let waiting = 0;
let running = null;

const fields = () => FIELDS.map((name) => form.elements[name]).filter(Boolean);

function keep() {
  const typed = Object.fromEntries(fields().map((field) => [field.name, field.value]));
  try {
    localStorage.setItem(key, JSON.stringify(typed));
  } catch {
    // a full or forbidden store: the page itself still has everything
  }
}

function restore() {
  let typed;
  try {
    typed = JSON.parse(localStorage.getItem(key));
  } catch {
    return false;
  }
  if (!typed || fields().every((field) => (typed[field.name] ?? "") === field.value)) return false;
  for (const field of fields()) field.value = typed[field.name] ?? "";
  return true;
}

async function evaluate() {
  clearTimeout(waiting);
  running?.abort();
  const mine = (running = new AbortController());
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "X-Fragment": "result" }, signal: mine.signal });
    const text = await answer.text();
    if (answer.redirected) return location.reload(); // logged out meanwhile
    output.innerHTML = text;
    note.textContent = "";
  } catch (error) {
    if (error.name !== "AbortError") note.textContent = say("网络不通，没有计算。");
  } finally {
    if (running === mine) running = null;
    output.toggleAttribute("aria-busy", false);
  }
}

function soon() {
  keep();
  clearTimeout(waiting);
  waiting = setTimeout(evaluate, THINK);
}

form.addEventListener("input", (event) => {
  if (FIELDS.includes(event.target.name)) soon();
});
form.addEventListener("change", (event) => {
  const choose = event.target.dataset.choose;
  if (choose) location.assign(event.target.value ? `${choose}&decision=${encodeURIComponent(event.target.value)}` : choose);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  keep();
  evaluate();
});
form.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});
form.addEventListener("click", (event) => {
  const fill = event.target.closest("[data-fill]");
  if (fill) {
    form.elements.context.value = fill.dataset.fill;
    form.elements.context.focus();
    soon();
  }
  if (event.target.closest("[data-forget]")) localStorage.removeItem(key);
});
output.addEventListener("click", (event) => {
  const place = event.target.closest("[data-select]");
  const field = place && form.elements[place.dataset.select];
  if (!field) return;
  field.focus();
  field.setSelectionRange(Number(place.dataset.start), Math.max(Number(place.dataset.end), Number(place.dataset.start)));
});

if ("given" in form.dataset) keep();
else if (restore()) evaluate();
