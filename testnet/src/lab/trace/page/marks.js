// What stands on the lanes: dots where something happens, blocks, remarks; and the map below.

/** Places on one row, so that words do not lie on each other. */
class Places {
  constructor() {
    this.rows = new Map();
  }

  /** Whether there is room; takes it if so. */
  take(row, from, to) {
    const taken = this.rows.get(row) ?? [];
    if (taken.some(([left, right]) => from < right && to > left)) return false;
    taken.push([from, to]);
    this.rows.set(row, taken);
    return true;
  }
}

Object.assign(Diagram.prototype, {
  moments(trace) {
    const [first, last] = trace.range(...this.times());
    trace.seenMoments = last - first;
    const step = Math.max(1, Math.ceil((last - first) / MOST_DOTS));
    const { context: c, ink } = this;
    const small = last - first > 500;
    const dim = this.pick && this.cone && this.pick.trace === trace;
    const marks = [];
    c.fillStyle = ink.mark;
    for (const bright of [false, true]) {
      c.globalAlpha = bright ? 1 : 0.25;
      c.beginPath();
      for (let at = first; at < last; at += step) {
        const moment = trace.moments[at];
        if ((dim ? trace.related[moment] > 0 : true) !== bright) continue;
        const x = this.x(trace.time[moment]);
        const y = trace.lanes[trace.lane[moment]].y;
        if (small) {
          c.fillRect(x - 1, y - 2, 2, 4);
        } else {
          c.moveTo(x + 2.6, y);
          c.arc(x, y, 2.6, 0, 2 * Math.PI);
        }
      }
      if (!small) c.fill();
    }
    c.globalAlpha = 1;
    const many = last - first > MANY;
    const list = many ? trace.worthy : trace.moments;
    const [begin, end] = trace.range(...this.times(), list);
    for (let at = begin; at < end; at++) {
      const moment = list[at];
      for (const item of trace.items[moment]) {
        if (many && !trace.isWorthy(item)) continue;
        if (item[0] !== "heard" && item[0] !== "refused" && trace.showsItem(item)) marks.push([moment, item]);
      }
    }
    this.places = new Places();
    this.blocks(trace, marks);
    this.remarks(trace, marks);
    this.sentWords(trace, marks);
  },

  /** Blocks: filled where final, hollow where only the head for now. */
  blocks(trace, marks) {
    const { context: c, ink } = this;
    const some = marks.filter(([, item]) => item[0] === "committed" || item[0] === "adopted");
    // What is final must not vanish behind what is not.
    some.sort(([, one], [, other]) => (one[0] === "committed" ? 0 : 1) - (other[0] === "committed" ? 0 : 1));
    const ends = new Map();
    const strokes = new Map();
    c.textAlign = "center";
    c.lineWidth = 1.5;
    for (const [moment, item] of some) {
      const lane = trace.lanes[trace.lane[moment]];
      const x = this.x(trace.time[moment]);
      const branch = trace.branch(item[2]);
      const colour = branch ? this.branchColour(branch) : ink.mark;
      const text = String(item[1]);
      const width = text.length * 6.8 + 8;
      const final = item[0] === "committed";
      const y = final && trace.hasHeads ? lane.y - 15 : lane.y;
      const row = lane.at + (final ? "f" : "a");
      if (x - width / 2 < (ends.get(row) ?? 0)) {
        // Without room a stroke still says that there is a block.
        if (x - 2 < ends.get(row) || x - (strokes.get(row) ?? 0) < 3) continue;
        strokes.set(row, x);
        c.fillStyle = colour;
        c.fillRect(x - 1, lane.y - 5, 2, 10);
        continue;
      }
      ends.set(row, x + width / 2);
      c.fillStyle = final ? colour : ink.page;
      c.strokeStyle = colour;
      c.fillRect(x - width / 2, y - 7.5, width, 15);
      if (!final) c.strokeRect(x - width / 2, y - 7.5, width, 15);
      c.fillStyle = final ? ink.page : colour;
      c.fillText(text, x, y + 0.5);
    }
  },

  /** Remarks under the lane, rare ones first. */
  remarks(trace, marks) {
    const { context: c, ink } = this;
    const words = [];
    for (const [moment, item] of marks) {
      const said = this.remark(trace, item, moment);
      if (said) words.push({ moment, ...said });
    }
    words.sort((one, other) => one.count - other.count || trace.time[one.moment] - trace.time[other.moment]);
    c.textAlign = "left";
    // Of too many the rare ones are left: the others would only stand where there is room by chance.
    if (words.length > MOST_MARKS) words.splice(words.findIndex(({ count }) => count > RARE) >>> 0);
    const rows = Math.max(1, Math.floor((this.each * 0.62 - 12) / 13));
    const long = words.length < 56;
    for (const { moment, short, more, bad, moved } of words.slice(0, MOST_MARKS)) {
      const lane = trace.lanes[trace.lane[moment]];
      const x = this.x(trace.time[moment]);
      for (const text of (long || moved) && more ? [short + " " + more, short] : [short]) {
        const width = c.measureText(text).width;
        const row = Array.from({ length: rows }, (_, at) => at)
          .find((at) => this.places.take(lane.at + "r" + at, x - 3, x + width + 5));
        if (row === undefined) continue;
        const y = lane.y + 15 + row * 13;
        const colour = bad ? ink.bad : moved ? this.palette[6] : ink.soft;
        c.fillStyle = colour;
        c.fillRect(x - 0.5, lane.y + 3, 1, y - lane.y - 3);
        this.say(text, x + 2.5, y, colour);
        break;
      }
    }
  },

  remark(trace, item, moment) {
    const text = (at) => trace.texts[item[at]];
    switch (item[0]) {
      case "note": {
        const label = trace.labels.get(item[1]);
        if (trace.moves.has(moment) && label.text === "lock") {
          return { short: "lock moves to", more: text(2).slice(0, 40), count: 0, moved: true };
        }
        return { short: label.text, more: text(2).slice(0, 40), count: label.count, bad: false };
      }
      case "accused": return { short: "accuses " + item[1], more: text(2), count: 0, bad: true };
      case "halted": return { short: "votes no more", more: "", count: 0, bad: true };
      case "found": return { short: "found " + item[1], more: "", count: 50, bad: false };
      default: return null;
    }
  },

  /** What is sent, above the lane, where there is room for it. */
  sentWords(trace, marks) {
    const { context: c } = this;
    const some = marks.filter(([, item]) => item[0] === "sent");
    if (some.length > MOST_SENT_WORDS * 4) return;
    c.textAlign = "left";
    for (const [moment, item] of some) {
      const lane = trace.lanes[trace.lane[moment]];
      const x = this.x(trace.time[moment]);
      const kind = trace.kinds[trace.data.sent.kind[item[1]]];
      const full = sentText(trace, item[1], 4);
      for (const text of [full, kind.name]) {
        const width = c.measureText(text).width;
        const row = [0, 1].find((at) => this.places.take(lane.at + "s" + at, x - 2, x + width + 4));
        if (row === undefined) continue;
        c.globalAlpha = this.pick && this.cone && this.pick.trace === trace && !trace.related[moment] ? 0.25 : 1;
        this.say(text, x + 1, lane.y - 18.5 - row * 13, this.colour(kind));
        break;
      }
    }
    c.globalAlpha = 1;
  },

  /** The whole run in little: how much happens when, the faults, and what part is in view. */
  map() {
    const { context: c, ink } = this;
    const width = this.width - GUTTER - 8;
    const x = (time) => GUTTER + (this.clock.at(time) / this.clock.end) * width;
    if (!this.mapped) this.mapped = density(this.traces, this.clock, Math.max(60, Math.floor(width / 3)));
    c.fillStyle = ink.panel;
    c.fillRect(GUTTER, this.mapY, width, MAP - 10);
    for (const trace of this.traces) {
      for (const [from, to, , cuts] of trace.data.bands) {
        c.fillStyle = cuts ? ink.bad : ink.soft;
        c.globalAlpha = 0.35;
        const left = x(from / 1000);
        c.fillRect(left, this.mapY, Math.max(2, to === null ? 2 : x(to / 1000) - left), MAP - 10);
      }
    }
    c.globalAlpha = 1;
    c.fillStyle = ink.lane;
    const cell = width / this.mapped.length;
    this.mapped.forEach((share, at) => {
      const high = share * (MAP - 14);
      c.fillRect(GUTTER + at * cell, this.mapY + MAP - 10 - high, Math.max(1, cell - 0.5), high);
    });
    const [left, right] = this.times().map((time) => x(Math.min(this.end, Math.max(0, time))));
    c.strokeStyle = ink.pick;
    c.lineWidth = 2;
    c.strokeRect(left - 1, this.mapY - 1, Math.max(4, right - left + 2), MAP - 8);
    c.fillStyle = ink.soft;
    c.textAlign = "left";
    c.fillText("the whole run", 4, this.mapY + 10);
    c.fillText(clockText(this.end), 4, this.mapY + 23);
  },
});

/** How much happens in each of so many parts of a run, the most being one. */
function density(traces, clock, parts) {
  const counts = new Float64Array(parts);
  for (const trace of traces) {
    for (const moment of trace.moments) {
      counts[Math.min(parts - 1, Math.floor((clock.at(trace.time[moment]) / clock.end) * parts))]++;
    }
  }
  const most = Math.max(1, ...counts);
  return Array.from(counts, (count) => Math.sqrt(count / most));
}
