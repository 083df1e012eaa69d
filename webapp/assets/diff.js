// Two versions of a process side by side, with what bpmn-js-differ finds drawn on both and listed: click a line to see the element.
import { diff } from "bpmn-js-differ";
import zeebe from "zeebe-bpmn-moddle/resources/zeebe.json";
import { english, follow, open } from "./viewer.js";

const WORDS = {
  added: english ? "added" : "新增",
  removed: english ? "removed" : "删除",
  changed: english ? "changed" : "改动",
  moved: english ? "moved" : "移动",
};
const nothing = english ? "The two versions say the same." : "两个版本的内容相同。";
const failed = english ? "The versions cannot be compared." : "两个版本无法比较。";

const SHOWN = (viewer, id) => viewer.get("elementRegistry").get(id);

// [{kind, id, name, details}] in the order removed, added, changed, moved; only what stands on a diagram.
function changes(before, after) {
  const found = diff(before.getDefinitions(), after.getDefinitions());
  const line = (kind, viewer) => ([id, item]) => ({ kind, id, name: item.name ?? item.model?.name ?? SHOWN(viewer, id)?.businessObject.name ?? "", details: [] });
  const changed = Object.entries(found._changed).map(([id, { model }]) => ({ kind: "changed", id, name: model.name ?? "", details: details(before, after, id) }));
  const all = [
    ...Object.entries(found._removed).map(line("removed", before)),
    ...Object.entries(found._added).map(line("added", after)),
    ...changed,
    ...Object.entries(found._layoutChanged).map(line("moved", after)),
  ];
  return all.filter(({ id }) => SHOWN(before, id) || SHOWN(after, id));
}

function mark(viewer, list) {
  const canvas = viewer.get("canvas");
  for (const { kind, id } of list) if (SHOWN(viewer, id)) canvas.addMarker(id, `diff-${kind}`);
}

// Everything an element says itself, as path → text: attributes, mappings, conditions, timers, listeners; not what it contains on the diagram.
const ELSEWHERE = new Set(["flowElements", "artifacts", "laneSets", "incoming", "outgoing", "di", "id"]);
function said(model, path = "", all = new Map()) {
  for (const { ns, isReference } of model.$descriptor.properties) {
    const name = ns.localName;
    const value = ELSEWHERE.has(name) ? undefined : model.get(ns.name);
    if (value === undefined || value === null || value === "") continue;
    const where = path ? `${path}.${name}` : name;
    if (isReference) all.set(where, [value].flat().map((other) => other.id).join(" "));
    else if (Array.isArray(value)) value.forEach((part, index) => part.$descriptor && said(part, value.length > 1 ? `${where}[${part.name ?? part.target ?? part.key ?? index + 1}]` : where, all));
    else if (value.$descriptor) said(value, where, all);
    else all.set(where, String(value));
  }
  return all;
}

// One line a difference: "path: old → new".
function details(before, after, id) {
  const [old, now] = [before, after].map((viewer) => said(SHOWN(viewer, id).businessObject));
  const paths = [...new Set([...old.keys(), ...now.keys()])].filter((path) => old.get(path) !== now.get(path));
  return paths.map((path) => `${path.replaceAll("extensionElements.values", "zeebe")}: ${old.get(path) ?? "—"} → ${now.get(path) ?? "—"}`);
}

function write(list, target, viewers) {
  for (const { kind, id, name, details } of list) {
    const item = document.createElement("li");
    const button = Object.assign(document.createElement("button"), { type: "button", className: "rowx" });
    const tag = Object.assign(document.createElement("span"), { className: `tag diff-tag-${kind}`, textContent: WORDS[kind] });
    const title = Object.assign(document.createElement("span"), { className: "t", textContent: name || id });
    const code = Object.assign(document.createElement("span"), { className: "mono small-2", textContent: name ? id : "" });
    button.append(tag, " ", title, " ", code);
    for (const text of details) button.append(Object.assign(document.createElement("span"), { className: "small-2 d-block", textContent: text }));
    button.addEventListener("click", () => viewers.forEach((viewer) => focus(viewer, id)));
    item.append(button);
    target.append(item);
  }
}

function focus(viewer, id) {
  const element = SHOWN(viewer, id);
  const canvas = viewer.get("canvas");
  viewer.get("elementRegistry").forEach((other) => canvas.removeMarker(other.id, "diff-focus"));
  if (!element) return;
  canvas.addMarker(id, "diff-focus");
  canvas.scrollToElement(element, 80);
}

async function compare(root) {
  const [before, after] = root.querySelectorAll("[data-xml]");
  const target = root.querySelector("[data-changes]");
  try {
    const viewers = await Promise.all([before, after].map((side) => open(side, { moddleExtensions: { zeebe } })));
    if (viewers.includes(null)) throw new Error("no drawing");
    const list = changes(...viewers);
    viewers.forEach((viewer) => mark(viewer, list));
    root.querySelector("[data-count]").textContent = list.length;
    if (list.length) write(list, target, viewers);
    else target.replaceWith(Object.assign(document.createElement("p"), { className: "pad m-0", textContent: nothing }));
    follow(viewers);
  } catch (problem) {
    target.replaceWith(Object.assign(document.createElement("p"), { className: "pad m-0 text-danger", textContent: failed }));
    throw problem;
  }
}

for (const root of document.querySelectorAll("[data-diff]")) compare(root);
