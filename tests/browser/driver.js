// Drives any live figure through the page's contract: class live-figure, data-values, data-frame,
// native controls, data-preset, inline SVG with a text alternative. It knows no figure by name.
window.liveDriver = (() => {
  "use strict";
  const nextPaint = () => new Promise((done) => requestAnimationFrame(done));
  const values = (root) => JSON.parse(root.dataset.values);
  const frame = (root) => Number(root.dataset.frame);
  const fire = (node, ...types) =>
    types.forEach((type) => node.dispatchEvent(new Event(type, { bubbles: true })));
  const squeeze = (text) => text.replace(/\s+/g, " ").trim();
  const label = (node) => node.getAttribute("aria-label")
    || node.labels?.[0]?.textContent.trim() || node.textContent.trim() || "?";

  function picture(root) {
    const svg = root.querySelector("svg");
    return { svg: squeeze(svg.innerHTML), text: svg.getAttribute("aria-label") };
  }

  function grows(root, before, limit) {
    return new Promise((done) => {
      const stop = (grown) => { clearTimeout(late); watch.disconnect(); done(grown); };
      const watch = new MutationObserver(() => { if (frame(root) > before) stop(true); });
      const late = setTimeout(() => stop(false), limit);
      watch.observe(root, { attributes: true, attributeFilter: ["data-frame"] });
      if (frame(root) > before) stop(true);
    });
  }

  // What is played, or walked to value by value, has arrived when data-playing is gone.
  async function arrives(root, limit) {
    const late = performance.now() + limit;
    while (root.dataset.playing && performance.now() < late) await nextPaint();
  }

  // Does one thing to a figure; says what came of it, and how long until the frame was painted.
  // `then` is done as soon as there is a frame.
  async function act(root, name, doIt, limit = 5000, then = () => {}) {
    await nextPaint();
    const before = frame(root);
    const start = performance.now();
    doIt();
    const grown = await grows(root, before, limit);
    const ms = performance.now() - start;
    const walked = Boolean(root.dataset.playing);
    then();
    await arrives(root, 3 * limit);
    await nextPaint();
    const alerts = [...root.querySelectorAll("[role=alert]")]
      .filter((node) => !node.hidden).map((node) => node.textContent.trim()).filter(Boolean);
    return { name, grown, by: frame(root) - before, walked, ms, alerts, values: values(root), ...picture(root) };
  }

  // Each control with what to do to it: [name, how, check(values) -> complaint or ""].
  function moves(root) {
    const list = [];
    const shows = (node, now) => {
      const told = (node.getAttribute("aria-valuetext") || node.value).replace("\u2212", "-");
      return Object.values(now).some((value) => String(value) === told)
        ? "" : `shows ${told}, which is not among the values`;
    };
    for (const node of root.querySelectorAll("input[type=range]")) {
      const [min, max, step] = [node.min, node.max, node.step].map(Number);
      const middle = min + Math.round((max - min) / 2 / step) * step;
      for (const to of [min, middle, max]) {
        list.push({ node, to, does: () => { node.value = to; fire(node, "input", "change"); },
          check: (now) => shows(node, now) });
      }
    }
    for (const node of root.querySelectorAll("input[type=number]")) {
      for (const to of [node.max, node.min]) {
        list.push({ node, to, does: () => { node.value = to; fire(node, "input", "change"); },
          check: (now) => Object.values(now).includes(Number(to)) ? "" : `${to} was not taken` });
      }
    }
    for (const node of root.querySelectorAll("select")) {
      for (const option of node.options) {
        list.push({ node, to: option.value,
          does: () => { node.value = option.value; fire(node, "input", "change"); },
          check: (now) => Object.values(now).map(String).includes(option.value) ? "" : "was not taken" });
      }
    }
    for (const node of root.querySelectorAll("input[type=checkbox], input[type=radio]")) {
      for (const turn of node.type === "radio" ? [1] : [1, 2]) {
        list.push({ node, to: `click ${turn}`, does: () => node.click(),
          check: (now) => Object.values(now).includes(node.type === "radio" ? node.value : node.checked)
            ? "" : "was not taken" });
      }
    }
    for (const node of root.querySelectorAll("button")) {
      const starts = node.textContent === "Start";  // how far it plays until Pause is chance
      list.push({ node, to: "press", preset: node.dataset.preset, does: () => node.click(),
        then: () => starts && root.dataset.playing && node.click(), chance: starts,
        check: () => (starts && node.textContent !== "Start" ? "does not pause" : "") });
    }
    return list;
  }

  // Every control at minimum, middle, maximum and every option; every preset; every button.
  async function drive(root, kernel = false) {
    const limit = kernel ? 20000 : 2000;
    const opening = JSON.stringify(values(root));
    const start = picture(root);
    const report = { figure: root.getAttribute("aria-label") || root.id, mode: root.dataset.mode,
      problems: [], ms: [], frames: { [opening]: start }, moves: 0 };
    const changes = new Map(); // control -> the pictures it has led to
    const elsewhere = new Set(); // states that presets lead to
    const list = moves(root);
    const say = (move, what) =>
      report.problems.push(`${label(move.node)} to ${move.to}: ${what}`);
    const reset = root.querySelector('[data-preset="Reset"]');
    for (const move of list) {
      if (!changes.has(move.node)) {
        changes.set(move.node, new Set());
        if (reset) await act(root, "reset", () => reset.click(), limit);
      }
      const came = await act(root, label(move.node), move.does, limit, move.then);
      report.moves += 1;
      if (!came.grown || (came.by !== 1 && !came.walked)) say(move, `data-frame grew by ${came.by}, not by 1`);
      if (came.alerts.length) say(move, `alert: ${came.alerts.join("; ")}`);
      if (!came.text) say(move, "the picture has no text alternative");
      const complaint = move.check(came.values);
      if (complaint) say(move, complaint);
      report.ms.push(came.ms);
      const key = JSON.stringify(came.values);
      const known = report.frames[key];
      if (known && (known.svg !== came.svg || known.text !== came.text))
        say(move, "the same values gave another picture");
      if (!move.chance) report.frames[key] = { svg: came.svg, text: came.text };
      changes.get(move.node).add(came.svg + came.text);
      if (move.preset && key !== opening) elsewhere.add(key);
    }
    for (const [node, seen] of changes) {
      const still = seen.size < 2 && seen.has(start.svg + start.text);
      if (still && node.matches("select, input:not([type=number])"))
        report.problems.push(`${label(node)}: no value of it changes the picture or its text`);
    }
    if (reset) {
      const back = await act(root, "reset", () => reset.click(), limit);
      if (JSON.stringify(back.values) !== opening) report.problems.push("Reset does not go back");
    }
    if (!list.some((move) => move.node.matches("input, select")))
      report.problems.push("it has no control");
    if (elsewhere.size < 2) report.problems.push("fewer than two presets lead to another state");
    return report;
  }

  const figures = () => [...document.querySelectorAll(".live-figure")];
  const controls = (root) => [...root.querySelectorAll("input, select, button")];
  const ready = () => figures().every((root) => controls(root).length > 0 && root.dataset.values);

  // Text of the figures that is drawn smaller than `least` CSS pixels.
  function smallText(least) {
    const small = [];
    for (const text of document.querySelectorAll(".live-figure svg text")) {
      if (!text.textContent.trim()) continue;
      const m = text.getScreenCTM();
      const size = parseFloat(getComputedStyle(text).fontSize) * Math.sqrt(Math.abs(m.a * m.d - m.b * m.c));
      if (size < least - 0.01) small.push(`${text.textContent.trim()} at ${size.toFixed(2)} px`);
    }
    return small;
  }

  return { figures, controls, ready, drive, act, smallText, label, values, frame };
})();
