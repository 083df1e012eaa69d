// What every page runs: htmx for fragments, keyboard, menus, live updates. Screens add behaviour through data- attributes only.
import "htmx.org";
import "./app.css";
import { installGo } from "./go.js";
import { installKeyboard } from "./keyboard.js";
import { installLive } from "./live.js";
import { installWorklist } from "./worklist.js";

function installMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const target = event.target.closest("[data-dismiss], [data-back], [data-help], [data-print]");
    if (!target) return;
    if ("dismiss" in target.dataset) target.closest(".flash").remove();
    if ("back" in target.dataset) history.length > 1 ? history.back() : location.assign("/");
    if ("help" in target.dataset) document.getElementById("help")?.showModal();
    if ("print" in target.dataset) print();
  });
  document.addEventListener("change", (event) => {
    // a select or checkbox of a filter form applies at once
    if (event.target.closest("form[data-auto]")) event.target.form.requestSubmit();
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest?.("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}

// <input data-filter=".what"> shows of a long choice only what holds the typed words; folded groups with a hit unfold.
function installFilter() {
  document.addEventListener("input", (event) => {
    const selector = event.target.dataset?.filter;
    if (!selector) return;
    const words = event.target.value.trim().split(/\s+/).filter(Boolean);
    for (const node of document.querySelectorAll(selector)) node.hidden = !words.every((word) => node.textContent.includes(word));
    for (const group of document.querySelectorAll("details:has(" + selector + ")")) {
      group.hidden = !group.querySelector(selector + ":not([hidden])");
      if (words.length) group.open = true;
    }
  });
}

installMenus();
installFilter();
installKeyboard();
installGo();
installLive();
installWorklist();
