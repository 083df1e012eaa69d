// What every page runs: htmx for fragments, keyboard, menus, live updates. Screens add behaviour through data- attributes only.
import "htmx.org";
import "./app.css";
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

installMenus();
installKeyboard();
installLive();
installWorklist();
