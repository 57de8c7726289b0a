// The controls: what is shown, where one looks, what is picked.

const traces = JSON.parse($("data").textContent).map((data, at) => new Trace(data, at));
traces.forEach((trace) => trace.choose());
const canvas = $("canvas");
const diagram = new Diagram(canvas, traces);
const seen = traces.flatMap(sights).sort((one, other) => one.time - other.time);

function filter() {
  traces.forEach((trace) => trace.choose());
  diagram.wind();
  diagram.resize();
}

/** Shows all messages that are shown at all. */
function frame() {
  const ends = traces.flatMap(({ shown, from, until }) =>
    (shown.length ? [from[shown[0]], shown.reduce((most, at) => Math.max(most, until[at]), 0)] : []));
  if (!ends.length) return;
  const [from, to] = [Math.min(...ends), Math.max(...ends)].map((time) => diagram.clock.at(time));
  diagram.look(from - (to - from) * 0.03, to + (to - from) * 0.05);
}

/** Picks a moment, or lets go of it. */
function pick(trace, moment, follow = true) {
  diagram.pick = trace ? { trace, moment } : null;
  if (!trace) {
    $("detail").replaceChildren();
    element("p", "Click on a dot or an arrow, or press → to step from event to event.", $("detail"));
    diagram.ask();
    return;
  }
  trace.relate(moment);
  tellMoment($("detail"), trace, moment, (to, at) => pick(to, at));
  const at = diagram.clock.at(trace.time[moment]);
  const span = diagram.to - diagram.from;
  if (follow && (at < diagram.from + span * 0.05 || at > diagram.to - span * 0.05)) {
    diagram.look(at - span * 0.4, at + span * 0.6);
  }
  diagram.ask();
}

/** The next shown moment in this direction, in all traces, or in one lane. */
function step(forward, lane) {
  const now = diagram.pick;
  const start = diagram.times()[forward ? 0 : 1];
  let best = null;
  for (const trace of now && lane ? [now.trace] : traces) {
    const { moments, time } = trace;
    const here = now && now.trace === trace ? now.moment : null;
    const at = now ? now.trace.time[now.moment] : start;
    // Of two traces at one time the first comes first.
    const isPast = (moment) => {
      if (here !== null) return moment > here || (!forward && moment === here);
      if (time[moment] !== at) return time[moment] > at;
      return !now ? forward : trace.number > now.trace.number;
    };
    let place = lowest(moments.length, (it) => isPast(moments[it]));
    if (!forward) place--;
    while (lane && now && moments[place] !== undefined && trace.lane[moments[place]] !== trace.lane[now.moment]) {
      place += forward ? 1 : -1;
    }
    const moment = moments[place];
    if (moment === undefined) continue;
    const better = !best || (forward
      ? time[moment] < best.trace.time[best.moment]
      : time[moment] >= best.trace.time[best.moment]);
    if (better) best = { trace, moment };
  }
  if (best) pick(best.trace, best.moment);
}

/** What lies under the pointer: a moment first, then an arrow. */
function under(x, y) {
  let best = { distance: 9, trace: null };
  for (const trace of traces) {
    const [first, last] = trace.range(...diagram.times());
    for (let at = first; at < last; at++) {
      const moment = trace.moments[at];
      const distance = Math.hypot(diagram.x(trace.time[moment]) - x, trace.lanes[trace.lane[moment]].y - y);
      if (distance < best.distance) best = { distance, trace, moment };
    }
  }
  if (best.trace) return best;
  best.distance = 5;
  for (const trace of traces) {
    for (const arrow of trace.drawn ?? []) {
      const distance = toSegment(x, y, diagram.ends(trace, arrow));
      if (distance < best.distance) best = { distance, trace, arrow };
    }
  }
  return best.trace ? best : null;
}

function toSegment(x, y, [x0, y0, x1, y1]) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const along = Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}

function showTip(event) {
  const tip = $("tip");
  const found = event && under(event.offsetX, event.offsetY);
  canvas.style.cursor = found ? "pointer" : "crosshair";
  tip.hidden = !found;
  if (!found) return;
  tip.textContent = found.arrow === undefined
    ? momentTip(found.trace, found.moment)
    : arrowTip(found.trace, found.arrow);
  const stage = $("stage");
  const left = Math.min(event.offsetX + 14, stage.clientWidth - tip.offsetWidth - 4);
  const below = event.offsetY + 16 + tip.offsetHeight < stage.clientHeight;
  tip.style.left = Math.max(0, left) + "px";
  tip.style.top = (below ? event.offsetY + 16 : Math.max(0, event.offsetY - tip.offsetHeight - 10)) + "px";
}

function pointers() {
  let drag = null;
  let waits = null;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    drag = { x: event.offsetX, moved: 0, map: event.offsetY >= diagram.mapY };
    if (drag.map) onMap(event.offsetX);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) {
      // One look for each frame is enough.
      if (!waits) requestAnimationFrame(() => { showTip(waits); waits = null; });
      waits = event;
      return;
    }
    if (drag.map) return onMap(event.offsetX);
    drag.moved += Math.abs(event.offsetX - drag.x);
    if (drag.moved > 3) diagram.move(drag.x - event.offsetX);
    drag.x = event.offsetX;
    $("tip").hidden = true;
  });
  canvas.addEventListener("pointerup", (event) => {
    const was = drag;
    drag = null;
    if (!was || was.map || was.moved > 3) return;
    const found = under(event.offsetX, event.offsetY);
    if (!found) return pick(null);
    const { trace, arrow } = found;
    pick(trace, arrow === undefined ? found.moment : trace.data.sent.moment[trace.of[arrow]], false);
  });
  canvas.addEventListener("pointercancel", () => { drag = null; });
  canvas.addEventListener("pointerleave", () => { $("tip").hidden = true; });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (sideways) diagram.move(event.deltaX || event.deltaY);
    else diagram.zoom(1.0015 ** Math.max(-300, Math.min(300, event.deltaY)), event.offsetX);
    $("tip").hidden = true;
  }, { passive: false });
}

function onMap(x) {
  const at = ((x - GUTTER) / (diagram.width - GUTTER - 8)) * diagram.clock.end;
  const half = (diagram.to - diagram.from) / 2;
  diagram.look(at - half, at + half);
}

function keys() {
  const page = () => (diagram.width - GUTTER) * 0.8;
  const acts = {
    ArrowRight: () => step(true), ArrowLeft: () => step(false),
    ArrowDown: () => step(true, true), ArrowUp: () => step(false, true),
    "+": () => diagram.zoom(0.7), "=": () => diagram.zoom(0.7), "-": () => diagram.zoom(1 / 0.7),
    0: () => diagram.look(0, diagram.clock.end),
    PageDown: () => diagram.move(page()), PageUp: () => diagram.move(-page()),
    Home: () => diagram.look(0, diagram.to - diagram.from),
    End: () => diagram.look(diagram.clock.end - (diagram.to - diagram.from), diagram.clock.end),
    Escape: () => pick(null),
    "/": () => $("find").focus(),
    c: () => {
      const cause = diagram.pick?.trace.cause[diagram.pick.moment] ?? -1;
      if (cause >= 0) pick(diagram.pick.trace, diagram.pick.trace.data.sent.moment[cause]);
    },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // Elsewhere keys scroll, press and choose, as in any page.
    if (event.target !== canvas && event.target !== document.body) {
      if (event.key === "Escape") canvas.focus();
      return;
    }
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

/** Goes to a time, or to the next moment after this one that says a text. */
function find() {
  const text = $("find").value.trim().toLowerCase();
  if (!text) return;
  const time = /^(\d+(?:\.\d+)?)\s*(ms|s|m)$/.exec(text);
  if (time) {
    const at = diagram.clock.at(Number(time[1]) * { ms: 1, s: 1000, m: 60000 }[time[2]]);
    const half = Math.min(diagram.to - diagram.from, ...traces.map((trace) => trace.usual)) / 2;
    return diagram.look(at - half, at + half);
  }
  const says = (trace, moment) => trace.items[moment]
    .some((item) => item[0] !== "heard" && itemText(trace, item).toLowerCase().includes(text));
  const order = diagram.pick ? [diagram.pick.trace, ...traces.filter((it) => it !== diagram.pick.trace)] : traces;
  for (const trace of order) {
    const after = diagram.pick?.trace === trace ? diagram.pick.moment : -1;
    const found = [...trace.moments].find((moment) => moment > after && says(trace, moment)) ??
      [...trace.moments].find((moment) => says(trace, moment));
    if (found !== undefined) return pick(trace, found);
  }
  $("status").textContent = "nothing says “" + text + "”";
}

/** Goes where something happens, with its context on both sides. */
function goTo(sight) {
  const span = Math.max(...traces.map((trace) => trace.usual));
  const { clock } = diagram;
  const [since, at] = [clock.at(sight.since ?? 0), clock.at(sight.time)];
  // With where it began, if that fits.
  const begin = at - since < span * 7 ? since : at;
  const from = begin < span * 1.2 ? -span * 0.02 : begin - span * 0.25;
  diagram.look(from, Math.max(from + span, at + span * 0.4));
}

/** How much time shows arrows that slope, and about as many as one can follow. */
function usual(trace) {
  const { shown, delay } = trace;
  const from = (at) => diagram.clock.at(trace.from[shown[at]]);
  const span = (count) => {
    const sizes = [];
    for (let at = 0; at + count < shown.length; at += count) sizes.push(from(at + count) - from(at));
    sizes.sort((one, other) => one - other);
    return sizes.length ? sizes[sizes.length >> 1] : diagram.clock.end;
  };
  const wanted = Math.max(Math.min(span(160), delay * 22), span(40), delay * 8);
  return Math.min(wanted, diagram.clock.end);
}

function toolbar() {
  $("back").addEventListener("click", () => step(false));
  $("forth").addEventListener("click", () => step(true));
  $("in").addEventListener("click", () => diagram.zoom(0.6));
  $("out").addEventListener("click", () => diagram.zoom(1 / 0.6));
  $("fit").addEventListener("click", () => diagram.look(0, diagram.clock.end));
  $("squeeze").addEventListener("change", () => {
    diagram.wind($("squeeze").checked);
    diagram.mapped = null;
  });
  $("cone").addEventListener("change", () => { diagram.cone = $("cone").checked; diagram.ask(); });
  $("find").addEventListener("keydown", (event) => { if (event.key === "Enter") find(); });
  for (const id of ["low", "high"]) {
    $(id).addEventListener("change", () => {
      for (const trace of traces) {
        trace.low = Number($("low").value) || 0;
        trace.high = $("high").value === "" ? Infinity : Number($("high").value);
      }
      filter();
      frame();
    });
  }
  const places = [{ time: 0, text: "the beginning", trace: traces[0] }, ...seen.slice(0, 300)];
  const select = $("goto");
  places.forEach((place, at) => {
    const whose = traces.length > 1 && at ? " [" + (place.trace.number + 1) + "]" : "";
    const option = element("option", clockText(place.time) + whose + "  " + place.text.slice(0, 70), select);
    option.value = at;
  });
  select.addEventListener("change", () => goTo(places[select.value]));
  return places;
}

function chip(row, text, state, change, only, colour, count) {
  const box = element("span", "", row);
  box.className = "chip";
  const main = element("button", "", box);
  if (colour) {
    const dash = element("i", "", main);
    dash.style.color = colour;
  }
  element("span", text, main);
  if (count !== undefined) element("small", count, main);
  const show = () => {
    box.classList.toggle("off", !state());
    main.setAttribute("aria-pressed", state());
  };
  main.addEventListener("click", () => { change(!state()); refresh(); });
  if (only) {
    const button = element("button", "only", box);
    button.title = "Show only this";
    button.setAttribute("aria-label", "Show only " + text);
    button.addEventListener("click", () => { only(); refresh(); });
  }
  chips.push(show);
  show();
  return main;
}

const chips = [];
const MOST_CHIPS = 200;

/** As many as one can choose from, and how many there are besides. */
function few(row, all, make) {
  all.slice(0, MOST_CHIPS).forEach(make);
  if (all.length > MOST_CHIPS) element("span", "and " + (all.length - MOST_CHIPS) + " more", row);
}

function refresh() {
  chips.forEach((show) => show());
  filter();
}

/** What can be shown, kind by kind: the key of the colours and the filter in one. */
function legend(trace) {
  const row = element("div", "", $("legend"));
  row.className = "row";
  if (traces.length > 1) element("b", "[" + (trace.number + 1) + "] " + trace.data.module, row);
  element("span", "messages", row);
  const alone = (all, one) => {
    const was = all.every((each) => each.on === (each === one));
    all.forEach((each) => { each.on = was ? !each.background : each === one; });
  };
  few(row, [...trace.kinds].sort((one, other) => one.background - other.background), (kind) => {
    const colour = kind.colour < 0 ? "var(--soft)" : "var(--k" + kind.colour + ")";
    chip(row, kind.name, () => kind.on, (on) => { kind.on = on; }, () => alone(trace.kinds, kind), colour, kind.count);
  });
  [[1, "sent again"], [2, "passed on"]].forEach(([at, text]) => {
    if (!trace.data.sent.class.includes(at)) return;
    chip(row, text, () => trace.classes[at], (on) => { trace.classes[at] = on; });
  });
  element("span", "replicas", row);
  few(row, trace.lanes, (lane) => {
    const set = (on) => { lane.on = on || trace.lanes.every((other) => other === lane || !other.on); };
    chip(row, lane.id + (lane.second ? "′" : ""), () => lane.on, set);
  });
  const more = element("details", "", row);
  more.className = "more";
  element("summary", "remarks (" + trace.labels.size + ")", more);
  const inner = element("div", "", more);
  inner.className = "row";
  const labels = [...trace.labels.values()].sort((one, other) => one.count - other.count);
  few(inner, labels, (label) => {
    chip(inner, label.text, () => label.on, (on) => { label.on = on; }, () => alone(labels, label), null, label.count);
  });
  chip(inner, "every timer", () => trace.timers, (on) => { trace.timers = on; });
}

function heading() {
  $("title").textContent = traces.map((trace) => trace.data.name).join("  |  ");
  const about = traces.map(({ data, time, of }, at) => {
    const which = traces.length > 1 ? "[" + (at + 1) + "] " : "";
    return which + data.lanes.length + " replicas, " + time.length + " events, " + of.length +
      " messages, " + clockText(data.end / 1000) + ". " + data.warnings.join(" ");
  });
  $("about").textContent = about.join(" ");
  const broken = traces.flatMap(({ data }, at) =>
    data.broken.map((words) => (traces.length > 1 ? "[" + (at + 1) + "] " : "") + words));
  $("broken").hidden = !broken.length;
  broken.slice(0, 4).forEach((words) => element("div", words, $("broken")));
  if (broken.length > 4) element("div", "and " + (broken.length - 4) + " more", $("broken"));
}

function status() {
  const [from, to] = diagram.times();
  const parts = [clockText(Math.max(0, from)) + " – " + clockText(Math.min(diagram.end, to))];
  const all = traces.reduce((sum, trace) => sum + trace.seen, 0);
  const drawn = traces.reduce((sum, trace) => sum + trace.drawn.length, 0);
  parts.push(drawn < all ? "one in " + Math.ceil(all / drawn) + " of " + all + " messages drawn; zoom in" : all + " messages");
  $("status").textContent = parts.join(", ");
}

heading();
traces.forEach(legend);
traces.forEach((trace) => { trace.usual = usual(trace); });
const places = toolbar();
pointers();
keys();
pick(null);
// Who has it read aloud hears where a drag ends, and nothing on the way.
let rests = 0;
diagram.drawn = () => {
  clearTimeout(rests);
  rests = setTimeout(status, 250);
};
diagram.resize();
// It opens where the first thing of weight happens, and says so.
const weight = seen.reduce((most, sight) => Math.max(most, sight.weight), 2);
const first = seen.find((sight) => sight.weight === weight) ?? places[0];
const place = places.indexOf(first);
if (place > 0) $("goto").value = place;
goTo(first);
window.addEventListener("resize", () => diagram.resize());
window.addEventListener("beforeprint", () => diagram.draw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  diagram.colours();
  diagram.ask();
});
