// Modification mode: tokens are added, moved and cancelled on the diagram or in the list beside it; the changes wait in a list, are tried
// on the server, and are applied together.
import { draw, fit } from "./diagram.js";
import { paint } from "./instance.js";
import "./instance.css";

const english = document.body.dataset.lang === "en";
const say = (chinese, inEnglish) => (english ? inEnglish : chinese);
const root = document.querySelector("[data-modify]");
const part = (name) => root.querySelector(`[data-${name}]`);
const { elements, instanceKey, request: word } = JSON.parse(part("choices").textContent);
const state = JSON.parse(part("instance-state").textContent);
const byId = new Map(elements.map((element) => [element.id, element]));

let pending = [];
let chosen = null; // the element whose actions are shown
let moving = null; // {element, key, variables}: a move that waits for its target
let viewer = null;
let applied = false;

const make = (tag, values = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), values);
  node.append(...children);
  return node;
};

// ---------------------------------------------------------------------- the list of changes
const title = (id) => byId.get(id)?.name ?? id;
const which = (change) => (change.label ? ` ${change.label}` : change.all ? say("（全部）", " (all)") : "");

function words(change) {
  const own = change.variables ? ` ${JSON.stringify(change.variables)}` : "";
  if (change.type === "add") return say(`新增令牌：${title(change.element)}${own}`, `Add token: ${title(change.element)}${own}`);
  if (change.type === "move") return say(`移动：${title(change.element)}${which(change)} → ${title(change.target)}${own}`, `Move: ${title(change.element)}${which(change)} → ${title(change.target)}${own}`);
  if (change.type === "cancel") return say(`取消令牌：${title(change.element)}${which(change)}`, `Cancel token: ${title(change.element)}${which(change)}`);
  return say(`变量 ${change.name}：${JSON.stringify(change.value)}`, `Variable ${change.name}: ${JSON.stringify(change.value)}`);
}

// Camunda 8's modification request, with the variables beside it.
function request() {
  const place = (change, name, element) => ({
    [name]: element,
    ...(change.ancestor && { ancestorElementInstanceKey: change.ancestor }),
    ...(change.variables && { variableInstructions: [{ scopeId: element, variables: change.variables }] }),
  });
  const of = (type) => pending.filter((change) => change.type === type);
  return {
    activateInstructions: of("add").map((change) => place(change, "elementId", change.element)),
    moveInstructions: of("move").map((change) => ({
      ...place(change, "targetElementId", change.target),
      sourceElementInstruction: change.key ? { sourceElementInstanceKey: change.key } : { sourceElementId: change.element },
    })),
    terminateInstructions: of("cancel").map((change) => (change.key ? { elementInstanceKey: change.key } : { elementId: change.element })),
    variables: of("variable").map(({ scopeKey, name, value }) => ({ scopeKey, name, value })),
  };
}

function add(change) {
  pending.push(change);
  fault("");
  render();
}

function render() {
  part("pending").replaceChildren(...pending.map(line));
  part("none").hidden = pending.length > 0;
  part("count").textContent = pending.length;
  part("review").disabled = part("discard").disabled = pending.length === 0;
  marks();
}

function line(change) {
  const undo = make("button", { type: "button", className: "btn btn-quiet btn-sm", textContent: say("撤销", "Undo") });
  undo.setAttribute("aria-label", say(`撤销：${words(change)}`, `Undo: ${words(change)}`));
  undo.addEventListener("click", () => {
    const at = pending.indexOf(change);
    pending.splice(at, 1);
    render();
    (part("pending").querySelectorAll("button")[Math.min(at, pending.length - 1)] ?? part("elements").querySelector("button")).focus();
  });
  return make("li", {}, make("span", { className: "t", textContent: words(change) }), undo);
}

function fault(text, name = "fault") {
  part(name).textContent = text;
  part(name).hidden = !text;
}

// ---------------------------------------------------------------------- the diagram
const tokens = (change) => {
  const live = byId.get(change.element)?.live ?? [];
  return change.all ? Math.max(1, live.filter(({ body }) => !body).length) : 1;
};

function marks() {
  if (!viewer) return;
  paint(viewer, state);
  const counts = new Map();
  const count = (id, plus, minus) => {
    const known = counts.get(id) ?? { plus: 0, minus: 0 };
    counts.set(id, { plus: known.plus + plus, minus: known.minus + minus });
  };
  for (const change of pending) {
    if (change.type === "add") count(change.element, 1, 0);
    if (change.type === "cancel") count(change.element, 0, tokens(change));
    if (change.type === "move") {
      count(change.element, 0, tokens(change));
      count(change.target, tokens(change), 0);
    }
  }
  const overlays = viewer.get("overlays");
  for (const [id, { plus, minus }] of counts) {
    if (!viewer.get("elementRegistry").get(id)) continue;
    if (plus) overlays.add(id, { position: { top: -10, left: -6 }, html: make("div", { className: "change plus", textContent: `+${plus}` }) });
    if (minus) overlays.add(id, { position: { top: -10, left: 24 }, html: make("div", { className: "change minus", textContent: `−${minus}` }) });
  }
  const canvas = viewer.get("canvas");
  viewer.get("elementRegistry").forEach(({ id }) => {
    canvas.removeMarker(id, "chosen");
    canvas.removeMarker(id, "cannot");
    if (moving && byId.get(id)?.refused) canvas.addMarker(id, "cannot");
  });
  if (chosen && viewer.get("elementRegistry").get(chosen)) canvas.addMarker(chosen, "chosen");
}

// ---------------------------------------------------------------------- choosing
const idle = part("note").textContent;

function note() {
  const box = part("note");
  box.classList.toggle("choosing", Boolean(moving));
  box.textContent = moving ? say(`把“${title(moving.element)}”移动到哪里？在图上或列表中选目标；按 Esc 不移动。`, `Where to move “${title(moving.element)}”? Choose the target on the diagram or in the list; Esc gives up.`) : idle;
}

function listElements() {
  const items = elements.map((element) => {
    const live = element.live.filter(({ body }) => !body).length;
    const button = make("button", { type: "button" }, make("span", { className: "grow", textContent: element.name }), make("span", { className: "small-2", textContent: element.kind }));
    if (live) button.append(make("span", { className: "tag blue", textContent: say(`${live} 个令牌`, `${live} token(s)`) }));
    button.dataset.id = element.id;
    button.addEventListener("click", () => choose(element.id, true));
    return make("li", { title: element.id }, button);
  });
  part("elements").replaceChildren(...items);
  refreshList();
}

function refreshList() {
  for (const button of part("elements").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.id === chosen));
    button.disabled = Boolean(moving && byId.get(button.dataset.id).refused);
  }
}

function choose(id, keyboard = false) {
  const element = byId.get(id);
  if (!element) return;
  if (moving) return void moveTo(element);
  chosen = id;
  refreshList();
  marks();
  showActions(element);
  if (keyboard) part("chosen").querySelector("button:not([disabled])")?.focus();
  else part("chosen").scrollIntoView({ block: "nearest" }); // on a phone it stands below the diagram
}

function stopMoving() {
  moving = null;
  note();
  refreshList();
  marks();
}

function moveTo(target) {
  if (target.refused) return;
  const change = { type: "move", ...moving, target: target.id, ...(needsPlace(target) && { ancestor: places(target)[0].key }) };
  moving = null;
  chosen = null;
  part("chosen").replaceChildren(make("p", { className: "small-2 m-0", textContent: say("还没有选择。", "Nothing is chosen.") }));
  add(change);
  note();
  refreshList();
  part("review").focus();
}

// The open instances of the subprocess around an element: with several it must be said which. A move keeps its source's surroundings.
const places = (element) => (byId.get(element.parent)?.live ?? []).filter(({ body }) => !body);
const needsPlace = (element) => places(element).length > 1 && byId.get(moving?.element)?.parent !== element.parent;

function chooser(label, options) {
  const select = make("select", { className: "form-select form-select-sm", id: `choice-${label.length}-${options.length}` }, ...options.map(([value, text]) => make("option", { value, textContent: text })));
  return [select, make("div", { className: "field" }, make("label", { htmlFor: select.id, textContent: label }), select)];
}

function showActions(element) {
  const box = part("chosen");
  const lines = [make("div", {}, make("b", { textContent: element.name }), " ", make("span", { className: "mono small-2", textContent: element.id }))];
  let token = null;
  if (element.live.length > 1) {
    const [select, field] = chooser(say("哪个令牌", "Which token"), [["", say("全部", "All")], ...element.live.map(({ key, label, body }) => [key, body ? `${label}${say("（整体）", " (as a whole)")}` : label])]);
    token = select;
    lines.push(field);
  }
  let place = null;
  if (places(element).length > 1) {
    const [select, field] = chooser(say("新令牌放入", "Put the new token into"), places(element).map(({ key, label }) => [key, `${title(element.parent)} ${label}`]));
    place = select;
    lines.push(field);
  }
  const own = make("input", { className: "form-control form-control-sm mono", id: "own-variables", placeholder: "{}", autocomplete: "off" });
  lines.push(make("div", { className: "field" }, make("label", { htmlFor: own.id, textContent: say("新令牌自己的变量（JSON 对象，可以不填）", "The new token's own variables (JSON object, optional)") }), own));
  const source = () => ({ element: element.id, ...(token?.value ? { key: token.value, label: token.selectedOptions[0].textContent } : element.live.length > 1 ? { all: true } : element.live.length ? { key: element.live[0].key } : {}) });
  const button = (text, disabled, action) => {
    const node = make("button", { type: "button", className: "btn btn-quiet btn-sm", textContent: text, disabled });
    node.addEventListener("click", () => {
      const variables = readObject(own);
      if (variables !== false) action(variables && { variables });
    });
    return node;
  };
  const still = element.live.length === 0;
  lines.push(
    make(
      "div",
      { className: "choice-actions" },
      button(say("新增令牌", "Add token"), Boolean(element.refused), (more) => add({ type: "add", element: element.id, ...(place && { ancestor: place.value }), ...more })),
      button(say("移动到…", "Move to…"), still, (more) => {
        moving = { ...source(), ...more };
        note();
        refreshList();
        marks();
        part("elements").querySelector("button:not([disabled])")?.focus();
      }),
      button(say("取消令牌", "Cancel token"), still, () => add({ type: "cancel", ...source() })),
    ),
  );
  if (element.refused) lines.push(make("p", { className: "small-2 m-0", textContent: element.refused }));
  box.replaceChildren(...lines);
}

// null: nothing was typed; false: not an object, which the field then says.
function readObject(input) {
  input.setCustomValidity("");
  if (!input.value.trim()) return null;
  try {
    const value = JSON.parse(input.value);
    if (value && typeof value === "object" && !Array.isArray(value)) return value;
  } catch {
    // told below, as for what is no object
  }
  input.setCustomValidity(say("应为 JSON 对象，如 {\"金额\": 100}", "Must be a JSON object such as {\"amount\": 100}"));
  input.reportValidity();
  return false;
}

// ---------------------------------------------------------------------- variables
function fillScopes() {
  const select = part("variable").elements.scope;
  select.append(make("option", { value: instanceKey, textContent: say("流程", "Process") }));
  for (const element of elements) for (const { key, label } of element.live) select.append(make("option", { value: key, textContent: `${element.name} ${label}` }));
}

part("variable").addEventListener("input", ({ target }) => target.setCustomValidity(""));
part("variable").addEventListener("submit", (event) => {
  event.preventDefault();
  const { scope, name, value } = event.target.elements;
  try {
    add({ type: "variable", scopeKey: scope.value, name: name.value.trim(), value: JSON.parse(value.value) });
    event.target.reset();
  } catch {
    value.setCustomValidity(say("不是有效的 JSON；文字要加英文双引号", "Not valid JSON; text needs double quotes"));
    value.reportValidity();
  }
});

// ---------------------------------------------------------------------- summary and apply
async function send(url, body) {
  const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(body) });
  const result = await answer.json();
  if (answer.ok) return result;
  // the instance goes on while changes are put together
  const moved = [404, 409].includes(answer.status) ? say(" 流程可能已有变化，请撤销这项改动，或重新打开这一页。", " The instance may have gone on: undo this change, or open the page again.") : "";
  throw new Error((result.detail ?? result.title ?? answer.statusText) + moved);
}

const offline = (problem) => (problem instanceof TypeError ? say("网络不通，没有执行。", "Offline: nothing was applied.") : problem.message);
const dialog = root.querySelector("dialog");

async function review() {
  part("review").disabled = true;
  try {
    const { state: becomes, elements: changed, incidents } = await send(root.dataset.tryUrl, request());
    part("summary").replaceChildren(...pending.map((change) => make("li", { textContent: words(change) })));
    const lines = changed.map(({ name, before, after, fresh }) => say(`${name}：${before} → ${after} 个令牌${fresh && before ? `（${fresh} 个是新的）` : ""}`, `${name}: ${before} → ${after} token(s)${fresh && before ? `, ${fresh} of them new` : ""}`));
    if (becomes !== "ACTIVE") lines.push(say("流程将结束。", "The process instance will end."));
    for (const text of incidents) lines.push(say(`会出现异常：${text}`, `There will be an incident: ${text}`));
    part("outcome").replaceChildren(...(lines.length ? lines : [say("令牌的位置不变。", "The tokens stay where they are.")]).map((textContent) => make("li", { textContent })));
    fault("");
    fault("", "apply-fault");
    dialog.showModal();
    dialog.querySelector("textarea").focus();
  } catch (problem) {
    fault(offline(problem));
  }
  part("review").disabled = pending.length === 0;
}

part("review").addEventListener("click", review);
part("discard").addEventListener("click", () => {
  pending = [];
  fault("");
  stopMoving();
  render();
});
part("close").addEventListener("click", () => dialog.close());
part("apply").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.target.querySelector(".btn-primary");
  button.disabled = true;
  try {
    const { url } = await send(root.dataset.url, { ...request(), request: word, reason: event.target.elements.reason.value });
    applied = true;
    location.assign(url);
  } catch (problem) {
    fault(offline(problem), "apply-fault");
    button.disabled = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && moving) stopMoving();
});
addEventListener("beforeunload", (event) => {
  if (pending.length && !applied) event.preventDefault();
});

listElements();
fillScopes();
render();
draw(part("instance-diagram")).then((drawn) => {
  viewer = drawn;
  if (!viewer) return;
  viewer.get("eventBus").on("element.click", ({ element }) => choose(element.id.replace(/_label$/, "")));
  marks();
  fit(viewer);
});
