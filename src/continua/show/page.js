// What every page can do with a script: switch light and dark, copy code, print what is folded away.
// Whatever needs a script to work is made here, so a page without one has no dead buttons.
(() => {
  "use strict";
  const root = document.documentElement;

  function button(label, title, action) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.title = title;
    if (label.length < 2) made.setAttribute("aria-label", title);
    made.addEventListener("click", action);
    return made;
  }

  // A page opened from a disk may not be allowed to remember anything.
  const remembered = () => { try { return localStorage.getItem("continua-theme"); } catch { return null; } };
  const remember = (theme) => { try { localStorage.setItem("continua-theme", theme); } catch { /* for now only */ } };

  const wanted = remembered();
  if (wanted === "light" || wanted === "dark") root.dataset.theme = wanted;
  const isDark = () => getComputedStyle(root).colorScheme === "dark";
  const theme = button("◐", "Light or dark", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember(root.dataset.theme);
  });
  theme.className = "theme";
  document.querySelector("main").prepend(theme);

  async function copy(code) {
    try {
      await navigator.clipboard.writeText(code.textContent);
      return true;
    } catch { // no clipboard for pages from a disk in some browsers: the old way
      getSelection().selectAllChildren(code);
      return document.execCommand("copy");
    }
  }
  for (const code of document.querySelectorAll(".code code")) {
    const made = button("Copy", "Copy these lines", async () => {
      made.textContent = (await copy(code)) ? "Copied" : "Press Ctrl+C";
      setTimeout(() => { made.textContent = "Copy"; }, 1500);
    });
    made.setAttribute("aria-live", "polite");
    code.closest(".code").append(made);
  }

  function reachable() { // what scrolls can be scrolled with the keyboard
    for (const box of document.querySelectorAll(".table, pre"))
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; else box.removeAttribute("tabindex");
  }
  reachable();
  addEventListener("resize", reachable);

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const folded of opened) folded.open = true;
  });
  addEventListener("afterprint", () => { for (const folded of opened) folded.open = false; });
})();
