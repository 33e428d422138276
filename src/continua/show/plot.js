// Zoom and hover for every <svg data-plot>, whose attribute plot_data.py describes.
// A view is [left, right, bottom, top] in shares of the axes' box; [0, 1, 0, 1] is the figure as it was drawn.
(() => {
  "use strict";
  const WHOLE = [0, 1, 0, 1];
  const DEEPEST = 0.01; // a share of the box: lines are drawn to a hundredth of a point
  const REACH = 36; // pixels of the screen from which a point is found
  const GLIDE = 160; // milliseconds
  const STEP = 1.6; // of a button or key
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const isWhole = (view) => view.every((end, i) => end === WHOLE[i]);
  const range = (from, to) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
  const put = (part, attributes) => { for (const key in attributes) part.setAttribute(key, attributes[key]); };
  function add(parent, name, attributes, text = "") {
    const made = parent.appendChild(document.createElementNS(parent.namespaceURI, name));
    put(made, attributes);
    made.textContent = text;
    return made;
  }

  // ---- numbers
  const minus = (text) => text.replace(/-/g, "−");
  const power = (k) => "10" + String(k).replace(/./g, (c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻");
  function number(value) {
    const size = Math.abs(value);
    if (size === 0 || (size >= 1e-4 && size < 1e7)) return minus(String(value));
    const [mantissa, exponent] = value.toExponential().split("e");
    return `${minus(mantissa)}×${power(+exponent)}`;
  }
  function named(axis, value) {
    if (axis.scale === "date") return new Date(value * 864e5).toISOString().slice(0, 16).replace("T00:00", "").replace("T", " ");
    return axis.ticks?.find(([place]) => place === value)?.[1] || number(value);
  }
  const share = ({ scale, limits: [a, b] }, value) => value === null ? NaN
    : scale === "log" ? Math.log(value / a) / Math.log(b / a) : (value - a) / (b - a);
  const valueAt = ({ scale, limits: [a, b] }, at) => scale === "log" ? a * (b / a) ** at : a + (b - a) * at;
  function evenTicks(low, high, count) { // every 1, 2 or 5 times a power of ten; [[value, text], …], common factor
    const rough = (high - low) / count, unit = 10 ** Math.floor(Math.log10(rough));
    const by = [1, 2, 5, 10].find((k) => k * unit >= 0.999 * rough) * unit;
    const exponent = Math.floor(Math.log10(Math.max(Math.abs(low), Math.abs(high))));
    const apart = exponent > 5 || exponent < -3 ? exponent : 0;
    const digits = Math.min(15, Math.max(0, apart - Math.floor(Math.log10(by) + 1e-9)));
    const values = range(Math.ceil(low / by - 1e-9), Math.floor(high / by + 1e-9)).map((k) => k * by);
    return [values.map((value) => [value, minus((value / 10 ** apart).toFixed(digits))]), apart && "×" + power(apart)];
  }
  function logTicks(low, high, count) {
    const decades = Math.log10(high / low), fine = 3 * decades < count + 2, stride = Math.ceil(decades / count);
    if (decades < 0.7) return evenTicks(low, high, count);
    const ticks = range(Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))).flatMap((k) => fine
      ? [1, 2, 5].map((m) => [m * 10 ** k, number(+`${m}e${k}`)]) : k % stride ? [] : [[10 ** k, power(k)]]);
    return [ticks.filter(([value]) => value > low * 0.9999 && value < high * 1.0001)];
  }

  // ---- what moves: each a function of {view, x: point ↦ point, y: point ↦ point}
  function moverOf(part) {
    const own = (name) => part.getAttribute(name) ?? "", how = part.closest("[data-move]")?.dataset.move;
    if (part.tagName === "image") {
      const turned = own("transform");
      return ({ x, y }) => put(part, { transform: `matrix(${x(1) - x(0)} 0 0 ${y(1) - y(0)} ${x(0)} ${y(0)}) ${turned}` });
    }
    if (part.tagName === "use") {
      const x = +own("x"), y = +own("y");
      return (map) => {
        put(part, { x: map.x(x), y: map.y(y) });
        part.style.display = isWhole(map.view) || map.sees(x, y) ? "" : "none";
      };
    }
    const drawn = own("d"), tokens = drawn.split(" "), at = range(0, tokens.length - 1).filter((i) => !/[a-z]/i.test(tokens[i]));
    const points = at.map((i) => +tokens[i]), ends = [0, 1].map((k) => how !== "start" ? points.filter((_, i) => i % 2 === k) : [points[k]]);
    const anchor = how && ends.map((all) => (all.reduce((a, b) => Math.min(a, b)) + all.reduce((a, b) => Math.max(a, b))) / 2);
    return (map) => { // new coordinates, not a transform: strokes keep their width
      const to = [map.x, map.y], shift = anchor && to.map((f, k) => f(anchor[k]) - anchor[k]);
      points.forEach((point, i) => { tokens[at[i]] = (shift ? point + shift[i % 2] : to[i % 2](point)).toFixed(2); });
      put(part, { d: isWhole(map.view) ? drawn : tokens.join(" ") });
    };
  }
  function textMover(group, [left, top, width, height]) {
    const [u, v] = group.dataset.at.split(" "), x = left + u * width, y = top + (1 - v) * height;
    return (map) => {
      group.style.display = isWhole(map.view) || map.sees(x, y) ? "" : "none";
      put(group, { transform: `translate(${map.x(x) - x} ${map.y(y) - y})` });
    };
  }
  function moversOf(group, box) {
    const clipped = [...group.querySelectorAll("[clip-path], [data-loose] :is(path, use)")];
    return [...clipped.filter((part) => !part.closest("[data-axis], [data-at], defs")).flatMap((part) => part.tagName === "g" ? [...part.children] : part)
      .filter((part) => ["path", "use", "image"].includes(part.tagName)).map(moverOf),
    ...[...group.querySelectorAll("[data-at]")].map((text) => textMover(text, box))];
  }
  function tickMover(group, axis, letter, [left, top, width, height]) {
    const across = letter === "x", far = axis.side === "right" || axis.side === "top", away = across === far ? -1 : 1;
    const edge = across ? (far ? top : top + height) : far ? left + width : left, fixed = ["fixed", "date"].includes(axis.scale);
    const own = [...group.children].filter((part) => part.dataset.keep === undefined), grid = group.querySelector("[clip-path]");
    const places = own.map((part) => part.querySelector("use")?.getAttribute(letter)), title = group.querySelector("[data-keep]");
    const words = own.map((part) => part.querySelector("text [style], text[style]")).filter(Boolean), size = parseFloat(words[0]?.style.fontSize) || 10;
    const fresh = add(group, "g", {}), word = (x, y, anchor, text) => add(fresh, "text", { x, y, "text-anchor": anchor, "font-size": size }, text);
    function tick(at, text) {
      if (grid) put(fresh.appendChild(grid.cloneNode()), { d: across ? `M ${at} ${top} v ${height}` : `M ${left} ${at} h ${width}` });
      add(fresh, "path", { d: (across ? `M ${at} ${edge} v ` : `M ${edge} ${at} h `) + away * 3.5, stroke: "currentColor", "stroke-width": 0.8 });
      if (!words.length) return;
      if (across) return word(at, edge + away * 7 + (far ? 0 : 0.76 * size), "middle", text);
      const made = word(edge + away * 7, at + 0.36 * size, far ? "start" : "end", text), name = title?.getBBox();
      const room = name?.width ? (far ? name.x - edge : edge - name.x - name.width) - 8 : Infinity; // before the axis' label
      if (made.getComputedTextLength() > room && room > size) put(made, { textLength: room, lengthAdjust: "spacingAndGlyphs" });
    }
    return (map) => {
      const [from, to] = map.view.slice(across ? 0 : 2), still = from === 0 && to === 1;
      fresh.replaceChildren();
      own.forEach((part, i) => {
        const place = +(places[i] ?? NaN), moved = map[letter](place), by = moved - place || 0;
        part.style.display = still || (fixed && map.between(letter, moved)) ? "" : "none";
        if (fixed) put(part, { transform: across ? `translate(${by} 0)` : `translate(0 ${by})` });
      });
      if (still || fixed) return;
      const [low, high] = [valueAt(axis, from), valueAt(axis, to)].sort((a, b) => a - b);
      const [ticks, factor] = (axis.scale === "log" ? logTicks : evenTicks)(low, high, Math.max(2, Math.round(across ? width / 75 : height / 32)));
      for (const [value, text] of ticks) tick(map[letter](across ? left + share(axis, value) * width : top + (1 - share(axis, value)) * height), text);
      if (words.length && factor) word(across ? left + width : left, across ? edge + away * (9 + 1.8 * size) : top - 4, across ? "end" : "start", factor);
    };
  }

  // ---- one figure
  function open(svg) {
    const { columns, axes } = JSON.parse(svg.dataset.plot), plot = svg.parentElement, figure = plot.parentElement;
    const panes = []; // axes that share a box, such as two scales of one picture, are one pane
    const near = (a, b, ...sides) => sides.every((k) => Math.abs(a.box[k] - b.box[k]) < 0.2);
    const alike = (a, b, k, letter) => near(a, b, k, k + 2) && ["scale", "limits"].every((key) => `${a.axes[0][letter][key]}` === `${b.axes[0][letter][key]}`);
    axes.forEach((one, i) => {
      let pane = panes.find((other) => near(other, one, 0, 1, 2, 3));
      if (!pane) panes.push(pane = { box: one.box, axes: [], groups: [], view: WHOLE });
      pane.axes.push(one);
      pane.groups.push(svg.querySelector(`[data-axes="${i}"]`));
      for (const line of one.series) {
        line.edges = [line.y, line.to].filter((k) => k !== undefined);
        line.across = columns[line.x].map((x) => share(one.x, x));
        line.up = line.edges.map((k) => columns[k].map((y) => share(one.y, y)));
      }
    });
    let active = panes[0], shown = false, gliding = 0, drag = null, before = [];
    const zoomed = () => panes.some(({ view }) => !isWhole(view));

    // -- views
    function inside(low, high) {
      const width = Math.min(1, Math.max(DEEPEST, high - low)), from = Math.min(1 - width, Math.max(0, (low + high - width) / 2));
      return width > 0.9995 ? [0, 1] : [from, from + width];
    }
    const held = (view) => [...inside(view[0], view[1]), ...inside(view[2], view[3])];
    function around([l, r, b, t], by, [u, v] = [0.5, 0.5], [s, w] = [u, v]) { // what is at (u, v) of the view comes to (s, w)
      const one = (low, width, at, to) => [low + (at - to * by) * width, low + (at + (1 - to) * by) * width];
      return [...one(l, r - l, u, s), ...one(b, t - b, v, w)];
    }
    function draw(pane) {
      const { view, box: [left, top, width, height], groups } = pane, [l, r, b, t] = view, below = top + height;
      pane.movers ??= groups.flatMap((group, i) => [...moversOf(group, pane.box),
        ...[...group.querySelectorAll("[data-axis]")].map((part) => tickMover(part, pane.axes[i][part.dataset.axis], part.dataset.axis, pane.box))]);
      const map = { view, x: (x) => left + ((x - left) / width - l) / (r - l) * width, y: (y) => below - ((below - y) / height - b) / (t - b) * height };
      map.between = (letter, at) => letter === "x" ? at > left - 0.5 && at < left + width + 0.5 : at > top - 0.5 && at < below + 0.5;
      map.sees = (x, y) => map.between("x", map.x(x)) && map.between("y", map.y(y));
      for (const move of pane.movers) move(map);
      plot.classList.toggle("zoomed", zoomed());
    }
    function show(pane, wanted) { // panels above and beside that share an axis go along
      const view = held(wanted);
      for (const other of panes) {
        const next = [...(alike(pane, other, 0, "x") ? view : other.view).slice(0, 2), ...(alike(pane, other, 1, "y") ? view : other.view).slice(2)];
        if (String(next) !== String(other.view)) { other.view = next; draw(other); }
      }
      forget();
    }
    function glide(pane, wanted) {
      cancelAnimationFrame(gliding);
      const start = pane.view, goal = held(wanted), began = performance.now();
      (function frame(now) {
        const done = calm.matches ? 1 : Math.min(1, Math.max(0, (now - began) / GLIDE));
        show(pane, done === 1 ? goal : start.map((end, i) => end + (goal[i] - end) * done * (2 - done)));
        if (done < 1) gliding = requestAnimationFrame(frame);
      })(began);
    }
    const zoom = (by) => glide(active, around(active.view, by));
    function reset() {
      cancelAnimationFrame(gliding);
      for (const pane of panes) if (!isWhole(pane.view)) { pane.view = WHOLE; draw(pane); }
      forget();
    }

    // -- the nearest point
    const ring = add(svg, "circle", { r: 5, fill: "none", stroke: "currentColor", "stroke-width": 1.2, visibility: "hidden" });
    const tip = add(figure, "div", { class: "tip", "aria-hidden": true, hidden: "" });
    function forget() {
      shown = false;
      tip.hidden = true;
      put(ring, { visibility: "hidden" });
    }
    function nearest({ view: [l, r, b, t], box: [left, top, width, height], axes }, place, reach) {
      let best = null, least = reach;
      for (const one of axes) for (const line of one.series) line.across.forEach((u, i) => {
        const x = left + (u - l) / (r - l) * width, ys = line.up.map((up) => top + (1 - (up[i] - b) / (t - b)) * height);
        if (!(x > left - 1 && x < left + width + 1 && ys.some((y) => y > top - 1 && y < top + height + 1))) return;
        const within = (place.y - ys[0]) * (place.y - ys[1]) < 0; // inside a band is near, at a point is nearer
        for (const y of ys) {
          const far = within ? Math.max(0.5 * reach, Math.abs(x - place.x)) : Math.hypot(x - place.x, y - place.y);
          if (far < least) [least, best] = [far, { one, line, i, x, y: within ? place.y : y }];
        }
      });
      return best;
    }
    function point(pane, place) {
      const frame = svg.getScreenCTM(), found = pane && nearest(pane, place, REACH / frame.a);
      forget();
      if (!found) return;
      const { one, line, i, x, y } = found, ys = line.edges.map((k) => named(one.y, columns[k][i])).join(" … ");
      tip.replaceChildren();
      if (line.name) add(tip, "b", {}, line.name);
      add(tip, "div", {}, `${one.x.label || "x"}: ${named(one.x, columns[line.x][i])}`);
      add(tip, "div", {}, `${one.y.label || "y"}: ${ys}`);
      put(ring, { cx: x, cy: y, visibility: "visible" });
      shown = true;
      tip.hidden = false;
      const at = new DOMPoint(x, y).matrixTransform(frame), page = figure.getBoundingClientRect(), right = at.x - page.left + 14;
      tip.style.left = `${Math.max(0, right + tip.offsetWidth > page.width ? right - 28 - tip.offsetWidth : right)}px`;
      tip.style.top = `${Math.max(0, at.y - page.top - tip.offsetHeight - 8)}px`;
    }

    // -- mouse, pen, fingers, keys
    const fingers = new Map(), where = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const shares = ({ box: [left, top, width, height] }, { x, y }) => [(x - left) / width, (top + height - y) / height];
    const paneAt = (place) => panes.find((pane) => shares(pane, place).every((at) => at >= 0 && at <= 1));
    const spread = ([a, b]) => b ? { middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, apart: Math.max(9, Math.hypot(a.x - b.x, a.y - b.y)) } : { middle: a, apart: 1 };
    const start = (pane, kind, far = 0) => ({ pane, kind, far, view: pane.view, from: spread([...fingers.values()]) });
    function begin(event) {
      const place = where(event), pane = paneAt(place), touch = event.pointerType === "touch";
      if (!pane || event.button) return;
      cancelAnimationFrame(gliding);
      active = pane;
      fingers.set(event.pointerId, place);
      if (!touch || zoomed()) svg.setPointerCapture(event.pointerId);
      drag?.frame?.remove();
      drag = start(pane, touch || event.shiftKey ? "pan" : "box", fingers.size > 1 ? 9 : 0);
    }
    function move(event) {
      const place = where(event);
      if (!fingers.has(event.pointerId)) { if (event.pointerType !== "touch") point(paneAt(place), place); return; }
      fingers.set(event.pointerId, place);
      const { pane, kind, view, from: { middle, apart } } = drag, now = spread([...fingers.values()]);
      drag.far = Math.max(drag.far, Math.hypot(place.x - middle.x, place.y - middle.y));
      if (kind === "box") stretch(chosen(place));
      else if (drag.far > 3) show(pane, around(view, apart / now.apart, shares(pane, middle), shares(pane, now.middle)));
    }
    function chosen(place) { // [left, right, bottom, top] in shares; a flat box means one axis only
      const [u, v] = shares(drag.pane, drag.from.middle), [s, w] = shares(drag.pane, place).map((at) => Math.min(1, Math.max(0, at)));
      const thin = Math.abs(u - s) * drag.pane.box[2] < 8, flat = Math.abs(v - w) * drag.pane.box[3] < 8;
      return thin && flat ? null : [...(thin ? [0, 1] : [Math.min(u, s), Math.max(u, s)]), ...(flat ? [0, 1] : [Math.min(v, w), Math.max(v, w)])];
    }
    function stretch(part) {
      const [l, r, b, t] = part ?? [0, 0, 0, 0], [left, top, width, height] = drag.pane.box;
      drag.frame ??= add(svg, "rect", { fill: "currentColor", "fill-opacity": 0.1, stroke: "currentColor", "stroke-dasharray": "3 2" });
      put(drag.frame, { x: left + l * width, y: top + (1 - t) * height, width: (r - l) * width, height: (t - b) * height });
      forget();
    }
    function end(event) {
      if (!fingers.delete(event.pointerId)) return;
      const { pane, kind, far, frame } = drag, part = kind === "box" && chosen(where(event)), [l, r, b, t] = pane.view;
      frame?.remove();
      if (event.type === "pointerup" && part) glide(pane, [l + part[0] * (r - l), l + part[1] * (r - l), b + part[2] * (t - b), b + part[3] * (t - b)]);
      else if (event.type === "pointerup" && far < 4) point(pane, where(event));
      drag = fingers.size ? start(pane, "pan", 9) : null;
    }
    function wheel(event) { // the page scrolls until the figure is clicked; a pinch on a touchpad comes with Ctrl
      const place = where(event), pane = paneAt(place), lines = event.deltaMode ? 24 : 1;
      if (!pane || !(event.ctrlKey || plot.matches(":focus")) || (event.deltaY > 0 && isWhole(pane.view) && !event.ctrlKey)) return;
      event.preventDefault();
      cancelAnimationFrame(gliding);
      active = pane;
      const by = Math.exp(Math.max(-60, Math.min(60, lines * event.deltaY)) * (event.ctrlKey ? 0.01 : 0.004));
      show(pane, around(pane.view, by, shares(pane, place)));
    }
    const arrows = { ArrowLeft: [0.65, 0.5], ArrowRight: [0.35, 0.5], ArrowUp: [0.5, 0.35], ArrowDown: [0.5, 0.65] };
    function key(event) {
      const { key } = event, by = { "+": 1 / STEP, "=": 1 / STEP, "-": STEP, "−": STEP }[key];
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (by) zoom(by);
      else if (key === "Escape") shown ? forget() : zoomed() ? reset() : plot.blur();
      else if (key in arrows && zoomed()) show(active, around(active.view, 1, [0.5, 0.5], arrows[key]));
      else return;
      event.preventDefault();
    }

    const tools = document.createElement("div");
    plot.after(tools);
    tools.className = "tools";
    add(tools, "span", {}, "Drag a box to zoom; double click: back");
    for (const [label, title, act] of [["+", "Zoom in", () => zoom(1 / STEP)], ["−", "Zoom out", () => zoom(STEP)], ["⟲", "Whole figure", reset]])
      add(tools, "button", { type: "button", title, "aria-label": title }, label).addEventListener("click", act);
    put(svg, { role: "img", "aria-label": plot.getAttribute("aria-label") });
    put(plot, { role: "group", tabindex: 0, "aria-keyshortcuts": "+ - ArrowLeft ArrowRight ArrowUp ArrowDown Escape" });
    const listen = (target, listeners) => { for (const name in listeners) target.addEventListener(name, listeners[name], { passive: false }); };
    listen(svg, { pointerdown: begin, pointermove: move, pointerup: end, pointercancel: end, pointerleave: () => drag || forget(),
      wheel, dblclick: reset, touchmove: (event) => { if (event.touches.length > 1) event.preventDefault(); } });
    listen(plot, { keydown: key });
    listen(window, { beforeprint: () => { before = panes.map(({ view }) => view); reset(); },
      afterprint: () => before.forEach((view, i) => { if (!isWhole(view)) { panes[i].view = view; draw(panes[i]); } }) });
  }
  for (const svg of document.querySelectorAll(".plot > svg[data-plot]")) open(svg);
})();
