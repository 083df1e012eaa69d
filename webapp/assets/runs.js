// What runs on a version: heat on the diagram (tokens now, entries in total, mean duration), and the selection of instances in the list.
import { english, installZoom, open, shrink } from "./viewer.js";

// From pale yellow to brick red; black words stay readable on all of it.
function colour(share) {
  const [from, to] = [[255, 248, 220], [238, 124, 84]];
  return `rgb(${from.map((part, index) => Math.round(part + (to[index] - part) * share)).join(",")})`;
}

function badge(overlays, id, text, className, position) {
  const html = Object.assign(document.createElement("div"), { className, textContent: text });
  overlays.add(id, { position, html, scale: { min: 0.9, max: 1.2 } }); // readable also when the whole diagram is in sight
}

function paint(viewer, heat, view) {
  const registry = viewer.get("elementRegistry");
  const overlays = viewer.get("overlays");
  const shape = (id) => registry.getGraphics(id)?.querySelector(".djs-visual > :first-child");
  overlays.clear();
  for (const [id, fill] of viewer.painted ?? []) shape(id).style.fill = fill; // as bpmn-js draws it
  viewer.painted = new Map();
  const values = heat[view];
  // a subprocess only frames what happens inside it
  const shown = Object.entries(values).filter(([id]) => registry.get(id) && !registry.get(id).waypoints);
  const top = Math.max(...shown.map(([, [value]]) => value), 0);
  for (const [id, [value, words]] of shown) {
    if (!registry.get(id).children?.some((child) => child.type !== "label")) {
      viewer.painted.set(id, shape(id).style.fill);
      shape(id).style.fill = colour(Math.sqrt(value / top));
    }
    badge(overlays, id, words, "heat-badge", { top: -11, right: 14 });
  }
  for (const [id, count] of Object.entries(heat.incidents)) {
    if (registry.get(id)) badge(overlays, id, `! ${count}`, "heat-badge incident", { bottom: 9, left: -6 });
  }
}

async function drawHeat(root) {
  const container = root.querySelector("[data-xml]");
  const heat = JSON.parse(root.querySelector("[data-heat]").textContent);
  const viewer = await open(container);
  if (!viewer) return;
  shrink([viewer]);
  installZoom(root, [viewer]);
  const view = () => root.querySelector("[name=heat]:checked").value;
  paint(viewer, heat, view());
  root.addEventListener("change", () => paint(viewer, heat, view()));
  viewer.on("element.click", ({ element }) => {
    if (heat.now[element.id]) location.assign(container.dataset.pick.replace("ELEMENT", encodeURIComponent(element.id)));
  });
  for (const id of Object.keys(heat.now)) if (viewer.get("elementRegistry").get(id)) viewer.get("canvas").addMarker(id, "heat-pick");
  root.dataset.drawn = "1";
}

function installSelection(form) {
  const page = form.querySelector("[data-select-page]");
  const all = form.querySelector("[data-select-all]");
  const count = form.querySelector("[data-selected-count]");
  const boxes = [...form.querySelectorAll("[name=key]")];
  const buttons = [...form.querySelectorAll("button[name=kind]")];
  if (!all) return;
  function show() {
    const chosen = boxes.filter((box) => box.checked).length;
    for (const box of boxes) box.disabled = all.checked;
    page.checked = chosen === boxes.length;
    page.indeterminate = chosen > 0 && chosen < boxes.length;
    count.hidden = all.checked;
    count.textContent = english ? `${chosen} selected` : `已选 ${chosen} 个`;
    for (const button of buttons) button.disabled = !all.checked && chosen === 0;
  }
  page.addEventListener("change", () => boxes.forEach((box) => (box.checked = page.checked)));
  form.addEventListener("change", show);
  addEventListener("pageshow", show);
  show();
}

for (const root of document.querySelectorAll("[data-runs-heat]")) drawHeat(root);
for (const form of document.querySelectorAll("[data-selection]")) installSelection(form);
