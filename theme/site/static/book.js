// The page's own behaviour: contents on a narrow screen, light and dark, copying code.
(function () {
  "use strict";
  const root = document.documentElement;

  const menu = document.querySelector("button.menu");
  menu.addEventListener("click", () => {
    const open = root.classList.toggle("contents-open");
    menu.setAttribute("aria-expanded", String(open));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !root.classList.contains("contents-open")) return;
    menu.click();
    menu.focus();
  });

  const theme = document.querySelector("button.theme");
  const showTheme = () => theme.setAttribute("aria-pressed", String(root.dataset.theme === "dark"));
  theme.addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("unrolled-theme", root.dataset.theme); } catch (e) { /* private mode */ }
    showTheme();
  });
  showTheme();

  // What scrolls sideways must be reachable by keyboard.
  const wide = "pre, div.math, .table-wrap, .cell_output > .output";
  const markWide = () => document.querySelectorAll(wide).forEach((box) => {
    const scrolls = box.scrollWidth > box.clientWidth + 1;
    if (scrolls) box.tabIndex = 0; else box.removeAttribute("tabindex");
  });
  markWide();
  addEventListener("resize", markWide);
  document.addEventListener("toggle", markWide, true);

  // Which section is being read.
  const links = new Map();
  document.querySelectorAll("nav.sections a[href^='#']").forEach((a) => {
    const section = document.getElementById(decodeURIComponent(a.hash.slice(1)));
    if (section) links.set(section, a);
  });
  const heads = [...links.keys()];
  const markSection = () => {
    const read = heads.filter((section) => section.getBoundingClientRect().top < 120).pop();
    links.forEach((a, section) => {
      if (section === read) a.setAttribute("aria-current", "true");
      else a.removeAttribute("aria-current");
    });
  };
  if (heads.length) addEventListener("scroll", markSection, { passive: true });

  if (navigator.clipboard) document.querySelectorAll(".cell_input, div.highlight-python").forEach((box) => {
    const pre = box.querySelector("pre");
    if (!pre || box.querySelector("button.copy")) return;
    const button = document.createElement("button");
    button.className = "copy";
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", () => {
      navigator.clipboard.writeText(pre.textContent).then(
        () => { button.textContent = "Copied"; },
        () => { button.textContent = "Not allowed"; });
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    box.append(button);
  });
  addEventListener("beforeprint", () =>
    document.querySelectorAll("details:not(.api-source)").forEach((d) => { d.open = true; }));
})();
