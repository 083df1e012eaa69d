// The work list: a row opens in the task pane beside it; what changes elsewhere is shown in place, new tasks are announced.
//   [data-worklist] > [data-counts], [data-rows] (a.rowx[data-task]), [data-news], #pane
import htmx from "htmx.org";
import { move as step } from "./keyboard.js";
import { say } from "./messages.js";

const wide = matchMedia("(min-width: 761px)");
const THINK = 140; // ms: j j j passes rows without opening each

let opening = 0;

const list = () => document.querySelector("[data-worklist]");
const keysIn = (root) => [...root.querySelectorAll("[data-rows] a.rowx")].map((row) => row.dataset.task);

function mark(row) {
  for (const other of document.querySelectorAll("[data-rows] a.rowx")) {
    other.classList.toggle("on", other === row);
    other.toggleAttribute("aria-current", other === row);
  }
  row.classList.remove("unread");
}

async function openRow(row) {
  mark(row);
  history.replaceState(null, "", row.href);
  const pane = document.getElementById("pane");
  await htmx.ajax("GET", row.dataset.pane, { source: pane, target: pane, swap: "innerHTML" });
  pane.scrollTop = 0;
}

function choose(row) {
  mark(row);
  clearTimeout(opening);
  opening = setTimeout(() => openRow(row), THINK);
}

// Fetch the same list again; counts and rows that are still there change in place, new rows wait behind the announcement.
async function look() {
  const here = list();
  if (!here) return;
  const answer = await fetch(location.href, { headers: { "X-Fragment": "list" } }).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const counts = fresh.querySelector("[data-counts]");
  if (counts) here.querySelector("[data-counts]").innerHTML = counts.innerHTML;
  const known = new Set(keysIn(here));
  const now = new Map([...fresh.querySelectorAll("[data-rows] a.rowx")].map((row) => [row.dataset.task, row]));
  for (const row of here.querySelectorAll("[data-rows] a.rowx")) {
    const newer = now.get(row.dataset.task);
    row.classList.toggle("gone", !newer);
    if (newer && newer.innerHTML !== row.innerHTML) row.innerHTML = newer.innerHTML;
  }
  announce(here, [...now.keys()].filter((key) => !known.has(key)).length);
}

function announce(here, count) {
  const news = here.querySelector("[data-news]");
  news.hidden = !count;
  if (count) {
    const link = news.querySelector("a");
    link.textContent = say("{n} 条新任务", { n: count });
    link.href = location.href;
  }
}

export function installWorklist() {
  document.addEventListener("click", (event) => {
    const row = event.target.closest("[data-rows] a.rowx");
    const special = event.ctrlKey || event.metaKey || event.shiftKey || event.button;
    if (!row || special || !wide.matches || !document.getElementById("pane")) return;
    event.preventDefault();
    openRow(row);
  });
  document.addEventListener("lianban:choose", (event) => wide.matches && choose(event.target));
  document.addEventListener("lianban:changed", look);
  // tabs of the task: the panels are all there, one is shown; the address keeps which
  document.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) showTab(tab);
  });
  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest?.("[role=tab]");
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!tab || !step) return;
    const all = [...tab.parentElement.querySelectorAll("[role=tab]")];
    showTab(all[(all.indexOf(tab) + step + all.length) % all.length]).focus();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-next-task]")) step(1);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-open-tab]");
    const tab = link && document.getElementById(link.dataset.openTab);
    if (!tab) return;
    event.preventDefault();
    showTab(tab).focus();
  });
}

function showTab(tab) {
  for (const other of tab.parentElement.querySelectorAll("[role=tab]")) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", chosen);
    other.tabIndex = chosen ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
  }
  const here = new URL(location.href);
  here.searchParams.set("tab", tab.dataset.tab);
  history.replaceState(null, "", here);
  document.dispatchEvent(new Event("lianban:shown"));
  return tab;
}
