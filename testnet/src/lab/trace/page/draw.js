// The canvas: only what lies in view is drawn, and never more than the eye can tell apart.

const MOST_ARROWS = 1200;
const MOST_HEADS = 500;
const MOST_DOTS = 1500;
const MANY = 2500;
const MOST_SENT_WORDS = 70;
const MOST_MARKS = 400;
const GUTTER = 104;
const AXIS = 24;
const MAP = 40;
const ROW = 15;
const FONT = "11.5px system-ui, sans-serif";

class Diagram {
  constructor(canvas, traces) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.traces = traces;
    this.end = Math.max(1, ...traces.map((trace) => trace.end));
    this.squeezed = true;
    this.clock = new Clock(traces, this.end, true);
    // What is in view, in the measure of the clock.
    this.from = 0;
    this.to = this.clock.end;
    this.pick = null;
    this.over = null;
    this.cone = true;
    this.colours();
    this.resize();
  }

  colours() {
    const style = getComputedStyle(document.documentElement);
    const names = ["page", "panel", "ink", "soft", "line", "lane", "band", "cut", "mark", "pick", "bad"];
    this.ink = Object.fromEntries(names.map((name) => [name, style.getPropertyValue("--" + name).trim()]));
    this.palette = Array.from({ length: PALETTE }, (_, at) => style.getPropertyValue("--k" + at).trim());
  }

  colour(kind) {
    return kind.colour < 0 ? this.ink.soft : this.palette[kind.colour];
  }

  branchColour(branch) {
    return branch === 0 ? this.ink.lane : this.palette[(branch * 3 + 1) % PALETTE];
  }

  /** Where everything stands, for the width and height there is. */
  resize() {
    const width = Math.max(320, this.canvas.parentElement.clientWidth);
    const lanes = this.traces.reduce((sum, trace) => sum + trace.lanes.filter((lane) => lane.on).length, 0);
    const several = this.traces.length > 1;
    let fixed = AXIS + MAP;
    for (const trace of this.traces) {
      this.layBands(trace, width);
      fixed += (several ? 20 : 4) + trace.bandRows * ROW + 26;
    }
    const top = this.canvas.getBoundingClientRect().top + window.scrollY;
    const room = Math.max(320, window.innerHeight - top - 24);
    const each = Math.min(120, Math.max(40, (room - fixed) / Math.max(1, lanes)));
    let y = AXIS;
    for (const trace of this.traces) {
      trace.titleY = several ? y + 15 : null;
      y += several ? 20 : 4;
      trace.top = y;
      y += trace.bandRows * ROW + 20;
      trace.lanes.forEach((lane) => {
        if (!lane.on) return;
        lane.y = y + each * 0.35;
        y += each;
      });
      trace.bottom = y;
      y += 6;
    }
    this.each = each;
    this.mapY = y + 4;
    this.width = width;
    this.height = y + MAP;
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(this.height * scale);
    this.canvas.style.height = this.height + "px";
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    this.mapped = null;
    this.ask();
  }

  /** Labels of bands stand in rows, so that none hides another that goes on at the same time. */
  layBands(trace) {
    const rows = [];
    trace.bandRow = trace.data.bands.map(([from, to]) => {
      const end = to ?? from + this.end / 20;
      let row = rows.findIndex((last) => last <= from);
      if (row < 0) row = Math.min(rows.length, 3);
      rows[row] = end;
      return row;
    });
    trace.bandRows = rows.length;
  }

  /** Another clock, after what is shown has changed; the same times stay in view. */
  wind(squeezed = this.squeezed) {
    const [from, to] = this.times();
    this.squeezed = squeezed;
    this.clock = new Clock(this.traces, this.end, squeezed);
    this.look(this.clock.at(from), this.clock.at(to));
  }

  x(time) {
    return this.place(this.clock.at(time));
  }

  place(at) {
    return GUTTER + ((at - this.from) / (this.to - this.from)) * (this.width - GUTTER - 8);
  }

  /** The times at both ends of what is in view. */
  times() {
    return [this.clock.time(this.from), this.clock.time(this.to)];
  }

  /** Shows from one place of the clock to another, within reason. */
  look(from, to) {
    const all = this.clock.end;
    const span = Math.min(Math.max(to - from, 0.02), all * 1.04);
    this.from = Math.min(Math.max(from, -span * 0.02), all + span * 0.02 - span);
    this.to = this.from + span;
    this.ask();
  }

  zoom(factor, x) {
    const part = x === undefined ? 0.5 : (x - GUTTER) / (this.width - GUTTER - 8);
    const at = this.from + part * (this.to - this.from);
    this.look(at - (at - this.from) * factor, at + (this.to - at) * factor);
  }

  move(pixels) {
    const by = (pixels / (this.width - GUTTER - 8)) * (this.to - this.from);
    this.look(this.from + by, this.to + by);
  }

  /** Draws before the next frame, once. */
  ask() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = 0;
      this.draw();
      if (this.drawn) this.drawn();
    });
  }

  draw() {
    const { context: c, ink } = this;
    c.fillStyle = ink.page;
    c.fillRect(0, 0, this.width, this.height);
    c.font = FONT;
    c.textBaseline = "middle";
    this.axis();
    c.save();
    c.beginPath();
    c.rect(GUTTER, AXIS - 4, this.width - GUTTER, this.mapY - AXIS);
    c.clip();
    for (const trace of this.traces) {
      this.bands(trace);
      this.lanes(trace);
      this.locks(trace);
      this.arrows(trace);
      this.moments(trace);
    }
    this.cursor();
    c.restore();
    this.names();
    this.map();
  }

  axis() {
    const { context: c, ink } = this;
    const span = this.to - this.from;
    const step = niceStep(span / Math.max(3, (this.width - GUTTER) / 110));
    const [first, last] = this.times();
    c.fillStyle = ink.soft;
    c.strokeStyle = ink.line;
    c.lineWidth = 1;
    c.textAlign = "center";
    c.beginPath();
    const pauses = this.clock.pauses(first, last);
    let end = GUTTER - 20;
    let from = Math.max(first, 0);
    for (const [pause, next] of [...pauses, [last, last]]) {
      for (let time = Math.ceil(from / step) * step; time <= Math.min(pause, last); time += step) {
        const x = Math.round(this.x(time)) + 0.5;
        if (x < GUTTER) continue;
        c.moveTo(x, AXIS - 6);
        c.lineTo(x, this.mapY - 6);
        const text = axisText(time, step, isLong(last));
        const half = c.measureText(text).width / 2;
        if (x - half < end + 6 || x + half > this.width) continue;
        c.fillText(text, x, 9);
        end = x + half;
      }
      from = Math.max(from, next);
    }
    c.globalAlpha = 0.6;
    c.stroke();
    c.globalAlpha = 1;
    this.pauses(pauses);
  }

  /** Where time is squeezed, and how much of it. */
  pauses(pauses) {
    const { context: c, ink } = this;
    if (pauses.length > 200) return;
    for (const [from, to] of pauses) {
      const [left, right] = [Math.max(GUTTER, this.x(from)), Math.min(this.width, this.x(to))];
      if (right - left < 3) continue;
      c.strokeStyle = ink.line;
      c.setLineDash([1, 3]);
      const y = this.mapY - 14;
      line(c, left + 2, y, right - 2, y);
      c.setLineDash([]);
      const text = "⋯ " + spanText(to - from) + " ⋯";
      if (c.measureText(text).width > right - left - 4) continue;
      c.fillStyle = ink.soft;
      c.fillText(text, (left + right) / 2, y);
    }
  }

  names() {
    const { context: c, ink } = this;
    c.textAlign = "left";
    for (const trace of this.traces) {
      if (trace.titleY !== null) {
        c.fillStyle = ink.page;
        c.fillRect(0, trace.titleY - 9, this.width, 17);
        c.fillStyle = ink.ink;
        c.font = "600 13px system-ui, sans-serif";
        c.fillText(trace.data.name, 4, trace.titleY);
        c.font = FONT;
      }
      for (const lane of trace.lanes) {
        if (!lane.on) continue;
        c.fillStyle = lane.lie ? ink.bad : ink.ink;
        c.font = "600 12.5px system-ui, sans-serif";
        c.fillText(lane.name, 4, lane.y, GUTTER - 8);
        c.font = FONT;
        if (lane.lie) c.fillText("lies: " + lane.lie, 4, lane.y + 14, GUTTER - 8);
      }
    }
  }

  bands(trace) {
    const { context: c, ink } = this;
    trace.data.bands.forEach(([from, to, words, cuts], at) => {
      const left = Math.max(this.x(from / 1000), GUTTER);
      const right = Math.min(to === null ? left + 2 : this.x(to / 1000), this.width);
      if (right < GUTTER || left > this.width) return;
      const y = trace.top + trace.bandRow[at] * ROW;
      c.fillStyle = cuts ? ink.cut : ink.band;
      c.fillRect(left, y, Math.max(right - left, 2), trace.bottom - y);
      c.fillStyle = cuts ? ink.bad : ink.soft;
      c.fillRect(left, y, Math.max(right - left, 2), 2);
      c.textAlign = "left";
      const room = to === null ? 260 : right - left - 8;
      if (room > 24) this.say(words, left + 4, y + 9, cuts ? ink.bad : ink.soft);
    });
  }

  /** A line while there is power, as thick and coloured as the branch it follows. */
  lanes(trace) {
    const { context: c, ink } = this;
    for (const lane of trace.lanes) {
      if (!lane.on) continue;
      c.strokeStyle = ink.line;
      c.lineWidth = 1;
      c.setLineDash([2, 4]);
      line(c, Math.max(GUTTER, this.x(0)), lane.y, Math.min(this.width, this.x(trace.end)), lane.y);
      c.setLineDash([]);
      const lives = lane.lives.length ? lane.lives : [[0, null]];
      for (const [from, to] of lives) {
        const end = to === null ? trace.end : to / 1000;
        this.ribbon(trace, lane, from / 1000, end);
        if (to === null) continue;
        const x = this.x(end);
        c.strokeStyle = ink.bad;
        c.lineWidth = 2.5;
        cross(c, x, lane.y, 5);
        c.textAlign = "left";
        this.say("no power", x + 9, lane.y - 9, ink.bad);
      }
    }
  }

  ribbon(trace, lane, from, to) {
    const { context: c } = this;
    const parts = [{ from: 0, branch: 0 }, ...trace.ribbons[lane.at]];
    const [first, last] = this.times();
    parts.forEach(({ from: begin, branch }, at) => {
      const left = Math.max(from, begin, first);
      const right = Math.min(to, parts[at + 1]?.from ?? Infinity, last);
      if (right <= left) return;
      c.strokeStyle = this.branchColour(branch);
      c.lineWidth = branch ? 5 : 2;
      line(c, this.x(left), lane.y, this.x(right), lane.y);
    });
  }

  /** A bar under the lane while it is locked. */
  locks(trace) {
    const { context: c } = this;
    c.fillStyle = this.palette[6];
    for (const { lane, from, to } of trace.locks) {
      const { on, y } = trace.lanes[lane];
      const [left, right] = [Math.max(GUTTER, this.x(from)), Math.min(this.width, this.x(to))];
      if (on && right > left) c.fillRect(left, y + 3, right - left, 4);
    }
  }

  /** Words that can be read whatever lies beneath them. */
  say(text, x, y, colour) {
    const { context: c, ink } = this;
    const before = c.globalAlpha;
    c.globalAlpha = before * 0.72;
    c.fillStyle = ink.page;
    c.fillRect(x - 1, y - 6.5, c.measureText(text).width + 2, 13);
    c.globalAlpha = before;
    c.fillStyle = colour;
    c.fillText(text, x, y);
  }

  /** Whether an arrow is part of what led to the picked moment, or of what it led to. */
  isBright(trace, arrow) {
    if (!this.pick || !this.cone || this.pick.trace !== trace) return true;
    const { related } = trace;
    const sent = trace.data.sent.moment[trace.of[arrow]];
    const end = trace.fate[arrow];
    if (related[sent] >= 2) return true;
    return end >= 0 && related[sent] === 1 && (related[end] === 1 || related[end] === 3);
  }

  arrows(trace) {
    const { context: c } = this;
    const list = trace.between(...this.times(), MOST_ARROWS);
    const heads = list.length <= MOST_HEADS;
    const sorts = new Map();
    for (const arrow of list) {
      const kind = trace.data.sent.kind[trace.of[arrow]];
      const again = trace.data.sent.class[trace.of[arrow]] === 1;
      const key = kind * 8 + (trace.fate[arrow] < 0 ? 4 : 0) + (again ? 2 : 0) + (this.isBright(trace, arrow) ? 1 : 0);
      if (!sorts.has(key)) sorts.set(key, []);
      sorts.get(key).push(arrow);
    }
    const dense = list.length > MOST_HEADS ? 0.6 : 0.85;
    for (const [key, some] of [...sorts].sort(([one], [other]) => (one & 1) - (other & 1))) {
      c.strokeStyle = c.fillStyle = this.colour(trace.kinds[key >> 3]);
      c.globalAlpha = key & 1 ? dense : 0.12;
      c.lineWidth = heads ? 1.3 : 1;
      c.setLineDash(heads && key & 4 ? [4, 3] : heads && key & 2 ? [8, 3] : []);
      this.strokes(trace, some, heads, (key & 4) !== 0);
    }
    c.setLineDash([]);
    c.globalAlpha = 1;
    trace.drawn = list;
  }

  strokes(trace, some, heads, lost) {
    const { context: c } = this;
    const tips = [];
    c.beginPath();
    for (const arrow of some) {
      const [x0, y0, x1, y1] = this.ends(trace, arrow);
      c.moveTo(x0, y0);
      c.lineTo(x1, y1);
      if (heads) tips.push([x0, y0, x1, y1, trace.fate[arrow]]);
    }
    c.stroke();
    c.setLineDash([]);
    c.beginPath();
    for (const [x0, y0, x1, y1, fate] of tips) {
      if (lost) {
        if (fate === OPEN) continue;
        c.moveTo(x1 - 4, y1 - 4);
        c.lineTo(x1 + 4, y1 + 4);
        c.moveTo(x1 - 4, y1 + 4);
        c.lineTo(x1 + 4, y1 - 4);
      } else {
        head(c, x0, y0, x1, y1);
      }
    }
    if (lost) {
      c.lineWidth = 2;
      c.stroke();
    } else {
      c.fill();
    }
  }

  /** From where to where an arrow is drawn. What never arrives stops on the way. */
  ends(trace, arrow) {
    const moment = trace.data.sent.moment[trace.of[arrow]];
    const from = trace.lanes[trace.lane[moment]].y;
    const to = trace.lanes[trace.to[arrow]].y;
    const part = trace.fate[arrow] >= 0 ? 1 : trace.fate[arrow] === OPEN ? 0.4 : 0.6;
    // What leaves at once would lie on each other.
    const aside = trace.order[trace.of[arrow]] * 3;
    return [this.x(trace.from[arrow]) + aside, from, this.x(trace.until[arrow]) + aside, from + (to - from) * part];
  }

  cursor() {
    if (!this.pick) return;
    const { context: c, ink } = this;
    const { trace, moment } = this.pick;
    const x = this.x(trace.time[moment]);
    c.strokeStyle = ink.pick;
    c.globalAlpha = 0.5;
    c.lineWidth = 1;
    line(c, x, AXIS - 4, x, this.mapY - 6);
    c.globalAlpha = 1;
    const lane = trace.lanes[trace.lane[moment]];
    if (!lane.on) return;
    c.lineWidth = 2.5;
    c.beginPath();
    c.arc(x, lane.y, 8, 0, 2 * Math.PI);
    c.stroke();
  }
}

function line(c, x0, y0, x1, y1) {
  c.beginPath();
  c.moveTo(x0, y0);
  c.lineTo(x1, y1);
  c.stroke();
}

function cross(c, x, y, size) {
  c.beginPath();
  c.moveTo(x - size, y - size);
  c.lineTo(x + size, y + size);
  c.moveTo(x - size, y + size);
  c.lineTo(x + size, y - size);
  c.stroke();
}

function head(c, x0, y0, x1, y1) {
  const length = Math.hypot(x1 - x0, y1 - y0) || 1;
  const [dx, dy] = [(x1 - x0) / length, (y1 - y0) / length];
  const [bx, by] = [x1 - dx * 8, y1 - dy * 8];
  c.moveTo(x1, y1);
  c.lineTo(bx - dy * 3.2, by + dx * 3.2);
  c.lineTo(bx + dy * 3.2, by - dx * 3.2);
  c.closePath();
}

/** One, two or five times a power of ten. */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((it) => it * power).find((it) => it >= least);
}

function axisText(time, step, long) {
  if (step >= 1000) return Math.round(time / 1000) + " s";
  if (long) return (time / 1000).toFixed(Math.max(0, Math.min(6, Math.ceil(-Math.log10(step / 1000))))) + " s";
  return time.toFixed(step >= 1 ? 0 : Math.ceil(-Math.log10(step))) + " ms";
}

function spanText(span) {
  return span >= 1000 ? (span / 1000).toFixed(span < 10000 ? 1 : 0) + " s" : span.toFixed(0) + " ms";
}

function isLong(time) {
  return Math.abs(time) >= 10000;
}
