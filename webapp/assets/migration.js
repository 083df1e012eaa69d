// The mapping of a migration: two diagrams side by side, lines between what corresponds, a select for each element. A change asks the
// server for the plan anew (its findings, not ours). Click an element on the left, then its counterpart on the right; or use the selects.
import { english, follow, installZoom, open, shrink, whole } from "./viewer.js";

const SAY = {
  pick: (name) => (english ? `Now click what stands for “${name}” on the right.` : `请在右图点击与“${name}”对应的元素。`),
  unfit: (name) => (english ? `“${name}” is of another type.` : `“${name}”类型不同，不能对应。`),
  done: (from, to) => (english ? `${from} → ${to}` : `已对应：${from} → ${to}`),
  failed: english ? "The plan cannot be made anew; reload the page." : "无法更新对应关系，请刷新页面。",
};
const MARKS = ["diff-added", "diff-removed", "diff-changed", "diff-focus"];
const SVG = "http://www.w3.org/2000/svg";

const shape = (viewer, id) => viewer.get("elementRegistry").get(id);
const nameOf = (element) => element.businessObject?.name || element.id;
const selectOf = (form, id) => form.elements.namedItem(`map:${id}`);

// Readable, with what is around it.
function show(viewer, id) {
  const canvas = viewer.get("canvas");
  const { x, y, width, height } = shape(viewer, id);
  if (canvas.zoom() < 0.6) canvas.zoom(0.75, { x: x + width / 2, y: y + height / 2 });
  canvas.scrollToElement(shape(viewer, id), 60);
}

class Mapping {
  constructor(root, viewers, apart) {
    this.root = root;
    this.apart = apart;
    this.form = root.querySelector("[data-plan-form]");
    this.status = root.querySelector("[data-mapping-status]");
    this.lines = root.querySelector("[data-lines]");
    [this.old, this.new] = viewers;
    this.focused = "";
    this.old.on("element.click", ({ element }) => this.pick(element.labelTarget ?? element));
    this.new.on("element.click", ({ element }) => this.put(element.labelTarget ?? element));
    for (const viewer of viewers) viewer.on("canvas.viewbox.changed", () => this.drawLines());
    this.form.addEventListener("change", (event) => event.target.closest("[data-plan]") && this.again());
    this.form.addEventListener("focusin", (event) => event.target.name?.startsWith("map:") && this.focus(event.target.name.slice(4)));
    this.form.addEventListener("submit", () => this.form.setAttribute("aria-busy", "true"));
    addEventListener("pageshow", () => this.form.removeAttribute("aria-busy"));
    addEventListener("resize", () => this.drawLines());
    this.read();
  }

  // The plan as the server has just written it.
  read() {
    this.plan = JSON.parse(this.root.querySelector("[data-plan-json]").textContent);
    this.paint();
  }

  paint() {
    for (const viewer of [this.old, this.new]) {
      const canvas = viewer.get("canvas");
      viewer.get("elementRegistry").forEach(({ id }) => MARKS.forEach((mark) => canvas.removeMarker(id, mark)));
      viewer.get("overlays").clear();
    }
    const mark = (viewer, id, name) => shape(viewer, id) && viewer.get("canvas").addMarker(id, name);
    for (const { source, target, status } of this.plan.pairs) {
      if (status === "changed") mark(this.old, source, "diff-changed");
      if (status === "changed") mark(this.new, target, "diff-changed");
    }
    this.plan.gone.forEach((id) => mark(this.old, id, "diff-removed"));
    this.plan.added.forEach((id) => mark(this.new, id, "diff-added"));
    for (const [id, count] of Object.entries(this.plan.tokens)) {
      if (!shape(this.old, id)) continue;
      const html = Object.assign(document.createElement("div"), { className: "token", textContent: count });
      this.old.get("overlays").add(id, { position: { top: -10, right: 12 }, html, scale: { min: 0.8, max: 1.2 } });
    }
    this.focus(this.focused, false);
  }

  target(id) {
    return this.plan.pairs.find(({ source }) => source === id)?.target;
  }

  focus(id, scroll = true) {
    this.focused = id;
    for (const [viewer, here] of [[this.old, id], [this.new, this.target(id)]]) {
      const canvas = viewer.get("canvas");
      viewer.get("elementRegistry").forEach((other) => canvas.removeMarker(other.id, "diff-focus"));
      if (!here || !shape(viewer, here)) continue;
      canvas.addMarker(here, "diff-focus");
      if (!scroll) continue;
      if (this.target(id)) this.apart(() => show(viewer, here));
      else show(viewer, here); // the other diagram shows the same place
    }
    for (const row of this.root.querySelectorAll("[data-row]")) row.classList.toggle("on", row.dataset.row === id);
    this.drawLines();
  }

  pick(element) {
    const select = selectOf(this.form, element.id);
    if (!select) return;
    this.focus(element.id, false);
    select.closest("[data-row]").hidden = false;
    select.closest("[data-row]").scrollIntoView({ block: "nearest" });
    this.status.textContent = SAY.pick(nameOf(element));
  }

  put(element) {
    const select = this.focused && selectOf(this.form, this.focused);
    if (!select || !element.businessObject || element.waypoints) return;
    const option = [...select.options].find(({ dataset, value }) => (dataset.target ?? value) === element.id);
    if (!option) {
      this.status.textContent = SAY.unfit(nameOf(element));
      return;
    }
    this.status.textContent = SAY.done(nameOf(shape(this.old, this.focused)), nameOf(element));
    if (select.value === option.value) return;
    select.value = option.value;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // The middle of an element's lower or upper edge, in pixels of the two diagrams' common frame; null when it is not in sight.
  edge(viewer, id, lower) {
    const element = shape(viewer, id);
    if (!element || element.waypoints) return null;
    const frame = this.lines.getBoundingClientRect();
    const place = viewer.get("canvas").getContainer().getBoundingClientRect();
    const box = viewer.get("canvas").getAbsoluteBBox(element);
    const [x, y] = [box.x + box.width / 2, lower ? box.y + box.height : box.y];
    if (x < 0 || y < 0 || x > place.width || y > place.height) return null;
    return { x: place.left - frame.left + x, y: place.top - frame.top + y };
  }

  // Only what changes its id and what is in focus: lines between everything would hide both diagrams. They sag below the elements,
  // beside the sequence flows; where the diagrams stand one above the other they run down.
  drawLines() {
    this.lines.replaceChildren();
    const [above, below] = [this.old, this.new].map((viewer) => viewer.get("canvas").getContainer().getBoundingClientRect());
    const stacked = below.top >= above.bottom;
    for (const { source, target } of this.plan?.pairs ?? []) {
      const focused = source === this.focused;
      if (source === target && !focused) continue;
      const from = this.edge(this.old, source, true);
      const to = this.edge(this.new, target, !stacked);
      if (!from || !to) continue;
      const path = document.createElementNS(SVG, "path");
      const sag = stacked ? -60 : 70;
      path.setAttribute("d", `M ${from.x} ${from.y} C ${from.x} ${from.y + Math.abs(sag)}, ${to.x} ${to.y + sag}, ${to.x} ${to.y}`);
      if (focused) path.setAttribute("class", "on");
      this.lines.append(path);
    }
  }

  async again() {
    const focus = document.activeElement?.name;
    this.latest?.abort();
    this.latest = new AbortController();
    const place = this.root.querySelector("[data-plan]");
    place.setAttribute("aria-busy", "true");
    try {
      const headers = { "X-Fragment": "plan" };
      const answer = await fetch(this.form.action, { method: "POST", body: new FormData(this.form), headers, signal: this.latest.signal });
      if (!answer.ok) throw new Error(answer.statusText);
      place.innerHTML = await answer.text();
    } catch (problem) {
      if (problem.name === "AbortError") return;
      this.status.textContent = SAY.failed;
      throw problem;
    }
    place.removeAttribute("aria-busy");
    this.root.querySelector("[data-trial]")?.remove(); // it was about another mapping
    this.read();
    narrow(this.root);
    if (focus) this.form.elements.namedItem(focus)?.focus?.({ preventScroll: true });
  }
}

// "Only what needs a look" hides rows where nothing changed and nobody stands in the way.
function narrow(root) {
  const only = root.querySelector("[data-only]");
  if (!only) return;
  for (const row of root.querySelectorAll("[data-row]")) row.hidden = only.checked && row.dataset.same === "1";
}

async function start(root) {
  narrow(root);
  root.addEventListener("change", (event) => "only" in event.target.dataset && narrow(root));
  const viewers = await Promise.all([...root.querySelectorAll("[data-xml]")].map(open));
  if (viewers.includes(null)) return;
  shrink(viewers);
  const size = (viewer) => viewer.get("canvas").viewbox().inner.width;
  const larger = [...viewers].sort((a, b) => size(b) - size(a))[0];
  new Mapping(root, viewers, follow(viewers));
  installZoom(root, [larger]); // the other one follows
  whole(larger);
  root.dataset.drawn = "1";
}

for (const root of document.querySelectorAll("[data-migration]")) start(root);
