// The page of a process instance: its diagram follows the live parts, a click on an element chooses its newest instance in the tree,
// the slider goes to a past moment. Without scripts the tree, the tabs and the moment's field are links and forms.
import { draw, fit, show } from "./diagram.js";
import "./instance.css";

const container = document.querySelector("[data-instance-diagram]");
const state = () => JSON.parse(document.querySelector("[data-instance-state]").textContent);

// How often an element was passed, beside the number of tokens that diagram.js shows.
export function paint(viewer, now) {
  show(viewer, now);
  const overlays = viewer.get("overlays");
  for (const [id, count] of Object.entries(now.passed ?? {})) {
    if (count < 2 || !viewer.get("elementRegistry").get(id)) continue;
    overlays.add(id, { position: { bottom: 10, left: -8 }, html: Object.assign(document.createElement("div"), { className: "token passed", textContent: count }) });
  }
}

// The newest of an element's instances stands last in the tree.
function chooseFromDiagram(id) {
  [...document.querySelectorAll(`.element-tree [data-element="${CSS.escape(id)}"]`)].pop()?.click();
}

async function start() {
  const viewer = await draw(container);
  if (!viewer) return;
  paint(viewer, state());
  fit(viewer);
  viewer.get("eventBus").on("element.click", ({ element }) => chooseFromDiagram(element.id.replace(/_label$/, "")));
  document.addEventListener("htmx:after:swap", () => paint(viewer, state()));
}

// While a form is open in a live part, the part is left alone: what is typed would be lost.
document.addEventListener(
  "toggle",
  (event) => {
    const part = event.target.closest?.("[data-live]");
    if (!part || !event.target.querySelector("form")) return;
    const open = part.querySelector("details.edit[open]");
    part.dataset.address ??= part.dataset.liveSrc ?? "";
    if (open) delete part.dataset.liveSrc;
    else part.dataset.liveSrc = part.dataset.address;
  },
  true,
);

const slider = document.querySelector("[data-moment] input[type=range]");
slider?.addEventListener("change", () => {
  const instants = JSON.parse(slider.parentElement.querySelector("script").textContent);
  const address = new URL(location.href);
  address.searchParams.set("at", instants[slider.value]);
  location.assign(address);
});
slider?.addEventListener("input", () => {
  const instants = JSON.parse(slider.parentElement.querySelector("script").textContent);
  const moment = new Date(instants[slider.value]);
  document.getElementById("at").value = new Date(moment.getTime() + 8 * 3600e3).toISOString().slice(0, 19); // Beijing time
});

if (container && !container.closest("[data-modify]")) start();
