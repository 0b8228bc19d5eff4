// The page's side of live figures, the same with a kernel and without one.
//
// A figure is an SVG whose moving parts are <g data-slot="...">, a set of native controls, and a
// source of frames: either the table baked into the page, or the kernel behind an anywidget
// model. mount() builds the controls; a change goes to the source; the source hands back a frame
// {values, text, pieces} or {values, error}; paint() puts it on the screen. Where a control does not
// take a value, the frame has {refused, reason} as well. What is played is asked for value by value,
// the next when the last is painted: walk, below.
//
// A classic script: module scripts are blocked on file://. For anywidget, widget.py appends the
// one line that exports LiveFigure.render.
const LiveFigure = (() => {
  "use strict";

  const element = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const same = (a, b) => Object.keys(a).every((name) => a[name] === b[name]);
  const shown = (value) => String(value).replace("-", "\u2212");

  // ---- controls: each returns {nodes, show(value)} and calls change(value); what only one kind
  // needs is in the last argument, {player, baked} ----------------------------------------------

  const nearest = (values, x) =>
    values.reduce((best, v) => (Math.abs(v - x) < Math.abs(best - x) ? v : best));

  function rangeControl(spec, id, change) {
    const { values, step, label } = spec;
    const even = step !== null; // an uneven list is slid by its index
    const last = values.length - 1;
    const bounds = even ? { min: values[0], max: values[last], step } : { min: 0, max: last, step: 1 };
    const slider = element("input", { type: "range", id, ...bounds });
    const number = element("input", {
      type: "number", class: "lf-number", "aria-label": `${label}, as a number`,
      min: values[0], max: values[last], step: even ? step : "any",
    });
    slider.addEventListener("input", () =>
      change(even ? nearest(values, Number(slider.value)) : values[Number(slider.value)]));
    number.addEventListener("change", () => {
      const x = parseFloat(number.value);
      change(Number.isFinite(x) ? nearest(values, x) : null);
    });
    const buttons = spec.kind === "step" ? [-1, 1].map((by) => {
      const name = by < 0 ? "one step back" : "one step forward";
      const button = element("button", { type: "button", class: "lf-step", "aria-label": `${label}: ${name}` },
        by < 0 ? "\u25c0" : "\u25b6");
      button.addEventListener("click", () => {
        const at = values.indexOf(nearest(values, Number(number.value)));
        change(values[Math.min(last, Math.max(0, at + by))]);
      });
      return button;
    }) : [];
    const nodes = [element("label", { for: id }, label),
      ...buttons.slice(0, 1), slider, ...buttons.slice(1), number];
    return {
      nodes,
      show(value) {
        slider.value = even ? value : values.indexOf(value);
        slider.setAttribute("aria-valuetext", shown(value));
        number.value = value;
      },
    };
  }

  function choiceControl(spec, id, change) {
    const select = element("select", { id }, ...spec.values.map((v) => element("option", { value: v }, v)));
    select.addEventListener("change", () => change(select.value));
    return {
      nodes: [element("label", { for: id }, spec.label), select],
      show(value) { select.value = value; },
    };
  }

  // A list and, where a kernel can answer, a field for a word that is not in it.
  function wordControl(spec, id, change, { baked }) {
    const { nodes, show } = choiceControl(spec, id, change);
    if (!spec.own || baked) return { nodes, show };
    const [, select] = nodes;
    const typed = element("option", {}, "your own");
    const field = element("input", {
      type: "text", class: "lf-own", "aria-label": `${spec.label}, your own`,
      placeholder: "or your own", autocomplete: "off", autocapitalize: "off", spellcheck: "false",
    });
    let said = ""; // what the field was given or has asked for last
    const ask = () => {
      const text = field.value.trim();
      if (text !== said) change((said = text) || null);
    };
    field.addEventListener("change", ask);
    field.addEventListener("keydown", (event) => { // which JupyterLab lets come to no change
      if (event.key === "Enter" && !event.isComposing) ask();
    });
    return {
      nodes: [...nodes, field],
      show(value) {
        const listed = spec.values.includes(value);
        if (listed) typed.remove();
        else select.append(typed);
        typed.value = value;
        select.value = value;
        field.value = said = listed ? "" : value;
      },
    };
  }

  function toggleControl(spec, id, change) {
    const box = element("input", { type: "checkbox", id });
    box.addEventListener("change", () => change(box.checked));
    return {
      nodes: [element("label", { for: id, class: "lf-check" }, box, spec.label)],
      show(value) { box.checked = value; },
    };
  }

  function playControl(spec, id, change, { player }) {
    const { nodes, show } = rangeControl(spec, id, change);
    const button = (name, does) => {
      const made = element("button", { type: "button", class: "lf-press" }, name);
      made.addEventListener("click", does);
      return made;
    };
    const start = button("Start", player.toggle);
    const number = nodes[nodes.length - 1];
    number.addEventListener("input", () => { // who types a number does not want it played away
      const typed = number.value;
      player.stop();
      number.value = typed;
    });
    return {
      nodes: [...nodes, start, button("One step", player.step)],
      show,
      playing(on) { start.textContent = on ? "Pause" : "Start"; },
    };
  }

  const MAKERS = { range: rangeControl, step: rangeControl, play: playControl,
    choice: choiceControl, word: wordControl, toggle: toggleControl };

  // ---- one figure -----------------------------------------------------------------------------

  function mount(root, spec, source) {
    const picture = root.querySelector(".lf-picture");
    const text = root.querySelector(".lf-text");
    const panel = element("div", { class: "lf-controls" });
    const alert = element("p", { class: "lf-alert", role: "alert", hidden: "" });
    const controls = {};
    const presets = {};
    const uid = `${spec.uid}-${Math.random().toString(36).slice(2, 7)}`; // views may be two
    let wanted = { ...spec.opening }; // what the reader has asked for last
    let asked = false; // whether an answer to it is still to come
    let walk = null; // the values on their way, one by one; null when nothing plays
    const reached = new Map(); // of a played control, under the others' values: how far it was seen

    const ask = (values) => {
      wanted = values;
      asked = true;
      showNow();
      source.request(wanted);
    };
    const showNow = () => show(walk?.goal ?? wanted);
    const show = (values) => {
      for (const [name, control] of Object.entries(controls)) control.show(values[name]);
      for (const [name, button] of Object.entries(presets)) {
        const goal = name === "Reset" ? spec.opening : spec.presets[name];
        button.setAttribute("aria-pressed", Object.keys(goal).every((key) => goal[key] === values[key]));
      }
    };
    const refuse = ({ values, refused, reason }) => { // the picture stays, and so does what was typed
      stop();
      if (asked && same(values, wanted)) { // the reader has gone back already
        asked = false;
        return;
      }
      if (asked && same(refused, wanted)) {
        wanted = { ...values };
        asked = false;
        show({ ...values, ...refused });
      }
      alert.hidden = false;
      alert.textContent = reason;
    };
    const paint = (frame) => {
      if (frame.refused) { refuse(frame); return; }
      if (!asked || same(frame.values, wanted)) {
        wanted = { ...frame.values };
        asked = false;
        showNow();
      }
      alert.hidden = !frame.error;
      alert.textContent = frame.error ?? "";
      for (const name of played) // an error counts: the way leads on past it
        reached.set(others(name, frame.values), Math.max(place(name, frame.values), seen(name, frame.values)));
      if (frame.error) { stop(); return; }
      if ("svg" in frame.pieces) picture.innerHTML = frame.pieces.svg;
      else for (const [slot, svg] of Object.entries(frame.pieces)) {
        const group = picture.querySelector(`[data-slot="${slot}"]`);
        if (group.painted !== svg) group.innerHTML = group.painted = svg;
      }
      if (text.textContent !== frame.text) text.textContent = frame.text;
      picture.setAttribute("aria-label", frame.text);
      root.dataset.values = JSON.stringify(frame.values);
      root.dataset.frame = Number(root.dataset.frame) + 1;
      onward(frame.values);
    };

    // Playing. Nothing moves until the reader presses Start, and Pause stands in its place, so that
    // prefers-reduced-motion has nothing to forbid. The same walk leads to a value that the kernel
    // has not computed yet: it is busy for one value at a time, and Pause is heard in between.
    const place = (name, values) => spec.controls[name].values.indexOf(values[name]);
    const others = (name, values) => JSON.stringify({ ...values, [name]: null });
    const seen = (name, values) => source.baked ? Infinity : reached.get(others(name, values)) ?? -1;
    const played = Object.keys(spec.controls).filter((name) => spec.controls[name].kind === "play");

    const request = (values) => { // what the reader asks for takes the place of what plays
      const goal = { ...(walk?.goal ?? wanted), ...values };
      stop();
      const name = played.find((one) => place(one, goal) > seen(one, goal) + 1);
      if (name === undefined) ask(goal);
      else begin({ name, goal, base: goal, at: seen(name, goal), to: place(name, goal), pause: 0 });
    };
    const begin = (way) => {
      walk = way;
      root.dataset.playing = "true";
      controls[walk.name].playing(true);
      text.setAttribute("aria-live", "off"); // nobody wants to hear twelve sentences a second
      advance();
    };
    const advance = () => {
      if (source.baked && !root.isConnected) { stop(); return; }
      const { name, base } = walk;
      walk.at += 1;
      Object.assign(walk, { since: performance.now(), answered: false });
      walk.asked = { ...base, [name]: spec.controls[name].values[walk.at] };
      ask(walk.asked);
    };
    const onward = (values) => {
      if (!walk?.answered) return; // what was asked for earlier may still come
      clearTimeout(walk.timer);
      if (!same(values, walk.asked) || walk.at === walk.to) stop(); // another view moved it; the end
      else walk.timer = setTimeout(advance, walk.pause - (performance.now() - walk.since));
    };
    const stop = () => {
      if (!walk) return;
      clearTimeout(walk.timer);
      controls[walk.name].playing(false);
      walk = null;
      delete root.dataset.playing;
      showNow();
      text.setAttribute("aria-live", "polite");
      requestAnimationFrame(() => text.replaceChildren(text.textContent)); // now it is read out
    };
    const playerOf = (name) => {
      const { values, perSecond } = spec.controls[name];
      const last = values.length - 1;
      return {
        stop,
        toggle() {
          if (walk) { stop(); return; }
          const at = place(name, wanted);
          begin({ name, base: wanted, at: at < last ? at : -1, to: last, pause: 1000 / perSecond });
        },
        step() { request({ [name]: values[Math.min(last, place(name, wanted) + 1)] }); },
      };
    };
    const soon = latest(paint);
    const receive = (frame) => {
      if (walk && same(frame.values, walk.asked)) walk.answered = true;
      soon(frame);
    };

    for (const [name, control] of Object.entries(spec.controls)) {
      const change = (value) => (value === null ? showNow() : request({ [name]: value }));
      const player = control.kind === "play" ? playerOf(name) : null;
      controls[name] = MAKERS[control.kind](control, `${uid}-${name}`, change,
        { player, baked: source.baked });
      panel.append(element("div", { class: `lf-control lf-${control.kind}`, "data-control": name },
        ...controls[name].nodes));
    }
    const row = element("div", { class: "lf-presets" });
    for (const [name, values] of [...Object.entries(spec.presets), ["Reset", spec.opening]]) {
      presets[name] = element("button", { type: "button", "data-preset": name }, name);
      presets[name].addEventListener("click", () => request(values));
      row.append(presets[name]);
    }
    panel.append(row);
    root.append(alert, panel);
    // Arrow keys and Enter must not reach the notebook, whose shortcuts look at what has the focus.
    for (const node of root.querySelectorAll(".lf-frame, input, select, button"))
      node.dataset.lmSuppressShortcuts = "true";
    picture.style.minWidth = `${Math.ceil((9.2 / spec.smallestText) * spec.size[0])}px`;
    picture.style.maxWidth = `${Math.round(spec.size[0] * 1.7)}px`;
    watchOverflow(root.querySelector(".lf-frame"), spec.title);
    showNow();
    return { receive, stop };
  }

  // A frame that scrolls must be reachable by keyboard; one that does not must not be a stop.
  function watchOverflow(frame, title) {
    const update = () => {
      const scrolls = frame.scrollWidth > frame.clientWidth + 1;
      if (scrolls) frame.setAttribute("tabindex", "0");
      else frame.removeAttribute("tabindex");
      frame.toggleAttribute("data-scrolls", scrolls);
      if (scrolls) { frame.setAttribute("role", "region"); frame.setAttribute("aria-label", `${title}, picture`); }
      else { frame.removeAttribute("role"); frame.removeAttribute("aria-label"); }
    };
    new ResizeObserver(update).observe(frame);
    update();
  }

  // At once if nothing was painted since the display's last frame, else with its next one;
  // always the newest state.
  function latest(paint) {
    let busy = false, next = null;
    const tick = () => {
      if (next === null) { busy = false; return; }
      const now = next;
      next = null;
      paint(now);
      requestAnimationFrame(tick);
    };
    return (frame) => {
      if (busy) { next = frame; return; }
      busy = true;
      paint(frame);
      requestAnimationFrame(tick);
    };
  }

  // ---- frames from the page -------------------------------------------------------------------

  function bakedSource(spec, table) {
    const names = Object.keys(spec.controls);
    const pick = (column, state) => column.head + column.cut[column.at[state]] + column.tail;
    return (values) => {
      const state = names.reduce((index, name) => {
        const own = spec.controls[name].values;
        return index * own.length + own.indexOf(values[name]);
      }, 0);
      const pieces = {};
      for (const [slot, column] of Object.entries(table.slots)) pieces[slot] = pick(column, state);
      return { values, text: pick(table.text, state), pieces };
    };
  }

  function wake(root) {
    if (root.querySelector(".lf-controls")) return;
    const read = (name) => JSON.parse(root.querySelector(`.${name}`).textContent);
    const spec = read("lf-spec");
    const frameOf = bakedSource(spec, read("lf-frames"));
    const figure = mount(root, spec, {
      baked: true, // every value is there already
      request(values) { figure.receive(frameOf(values)); },
    });
  }

  // ---- frames from a kernel -------------------------------------------------------------------

  function render({ model, el }) {
    const spec = model.get("_spec");
    const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    picture.setAttribute("class", "lf-picture");
    picture.setAttribute("role", "img");
    picture.setAttribute("viewBox", `0 0 ${spec.size[0]} ${spec.size[1]}`);
    picture.innerHTML = model.get("_svg");
    const root = element("div", {
      class: "live-figure", id: spec.uid, role: "group", "aria-label": spec.title,
      "data-mode": "kernel", "data-frame": "-1",
    }, element("p", { class: "lf-title" }, spec.title), element("div", { class: "lf-frame" }, picture),
    element("p", { class: "lf-text", "aria-live": "polite" }));
    el.append(root);
    const settled = () => { // the newest frame, without what was refused since
      const { refused, reason, ...frame } = model.get("_frame");
      return frame;
    };
    const figure = mount(root, spec, {
      request(values) {
        const frame = settled();
        const sent = Object.fromEntries(Object.keys(values).map((name) => [name, model.get(name)]));
        if (same(values, frame.values) && same(values, sent)) { // nothing for the kernel to do
          figure.receive(frame);
          return;
        }
        for (const [name, value] of Object.entries(values)) model.set(name, value);
        model.save_changes();
      },
    });
    const follow = () => {
      const frame = model.get("_frame");
      for (const name of Object.keys(frame.refused ?? {})) model.set(name, frame.values[name]);
      figure.receive(frame);
    };
    figure.receive(settled());
    model.on("change:_frame", follow);
    return () => {
      model.off("change:_frame", follow);
      figure.stop();
    };
  }

  const wakeAll = () => document.querySelectorAll('.live-figure[data-mode="baked"]').forEach(wake);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", wakeAll);
  else wakeAll();
  return { render, wake };
})();
