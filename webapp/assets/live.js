// Live pages. A stream says which projects changed; then every [data-live] element that cares fetches itself again, in place.
//   <section data-live="PROJECT_ID" data-live-src="/address/of/fragment">   PROJECT_ID or "any"
// While someone types in it or it holds the focus, an element with data-live-quiet waits. A page whose stream fails polls every 30 s.
import htmx from "htmx.org";

const POLL = 30000;
const SETTLE = 250;

let source = null;
let timer = 0;
let waiting = new Set();
let poll = 0;

function refresh() {
  const changed = waiting;
  waiting = new Set();
  for (const node of document.querySelectorAll("[data-live]")) {
    const cares = node.dataset.live === "any" || changed.has("*") || changed.has(node.dataset.live);
    // each part is its own source: requests of one source wait for each other, and of three waiting ones htmx drops the last
    if (cares && node.dataset.liveSrc) htmx.ajax("GET", node.dataset.liveSrc, { source: node, target: node, swap: "innerMorph" });
  }
  document.dispatchEvent(new CustomEvent("lianban:changed", { detail: changed }));
}

function note(ids) {
  ids.forEach((id) => waiting.add(id));
  clearTimeout(timer);
  timer = setTimeout(refresh, SETTLE);
}

function open(url) {
  if (source || document.hidden) return;
  source = new EventSource(url);
  source.addEventListener("changed", (event) => note(JSON.parse(event.data)));
  source.addEventListener("open", () => clearInterval(poll));
  source.addEventListener("error", () => {
    if (source?.readyState !== EventSource.CLOSED) return; // the browser reconnects by itself
    source = null;
    clearInterval(poll);
    poll = setInterval(() => note(["*"]), POLL);
  });
}

export function installLive() {
  const url = document.body.dataset.liveUrl;
  if (!url) return;
  open(url);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      source = null;
    } else {
      open(url);
      note(["*"]); // what happened while the page was hidden
    }
  });
  addEventListener("pagehide", () => source?.close());
}
