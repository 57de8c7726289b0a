// The traces as the page knows them, what of them is shown, and what led to what.

const $ = (id) => document.getElementById(id);
const PALETTE = 8;
const CHUNK = 256;
const RARE = 60;
const OPEN = -1;
// Of messages that are lost or under way nobody knows when they would have arrived.
const GUESS = 40;

/** One trace: its columns, and what is computed from them once. */
class Trace {
  constructor(data, number) {
    this.number = number;
    this.data = data;
    this.texts = data.texts;
    this.lanes = data.lanes.map((lane, at) => ({ ...lane, at, on: true, name: laneName(lane) }));
    this.end = data.end / 1000;
    this.time = Float64Array.from(data.moments.time, (time) => time / 1000);
    this.lane = Int32Array.from(data.moments.lane);
    this.items = data.moments.items;
    this.why = data.moments.why;
    this.lamport = data.moments.lamport;
    this.kinds = data.kinds.map((kind, at) => ({
      name: this.texts[kind.name], on: !kind.background, background: kind.background, at, count: 0,
    }));
    let colour = 0;
    for (const kind of this.kinds) kind.colour = kind.background ? -1 : colour++ % PALETTE;
    this.labels = new Map();
    this.classes = [true, true, true, true, true];
    this.timers = false;
    this.low = 0;
    this.high = Infinity;
    this.follow();
    this.lay();
    this.name();
    this.heads();
  }

  /** Who comes next in each lane, and who sent what made it happen. */
  follow() {
    const { lane, why, time } = this;
    const count = time.length;
    this.before = new Int32Array(count).fill(-1);
    this.after = new Int32Array(count).fill(-1);
    this.cause = new Int32Array(count).fill(-1);
    const last = new Int32Array(this.lanes.length).fill(-1);
    for (let at = 0; at < count; at++) {
      const previous = last[lane[at]];
      this.before[at] = previous;
      if (previous >= 0) this.after[previous] = at;
      last[lane[at]] = at;
      if (why[at][0] === "message") this.cause[at] = why[at][1];
    }
  }

  /** All copies of all messages, by the time at which they were sent. */
  lay() {
    const { sent } = this.data;
    const arrows = [];
    const delays = [];
    sent.arrows.forEach((copies, number) => {
      const moment = sent.moment[number];
      this.kinds[sent.kind[number]].count += copies.length;
      for (const [to, end] of copies) {
        if (end >= 0 && delays.length < 5000) delays.push(this.time[end] - this.time[moment]);
        arrows.push([this.time[moment], number, to, end]);
      }
    });
    delays.sort((one, other) => one - other);
    this.delay = delays.length ? Math.max(delays[delays.length >> 1], 0.001) : GUESS;
    arrows.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
    this.order = new Int32Array(sent.moment.length);
    for (const items of this.items) {
      let order = 0;
      for (const item of items) if (item[0] === "sent") this.order[item[1]] = Math.min(order++, 3);
    }
    const count = arrows.length;
    this.from = new Float64Array(count);
    this.until = new Float64Array(count);
    this.of = new Int32Array(count);
    this.to = new Int32Array(count);
    this.fate = new Int32Array(count);
    arrows.forEach(([from, number, to, end], at) => {
      this.from[at] = from;
      this.of[at] = number;
      this.to[at] = to;
      this.fate[at] = end;
      this.until[at] = end >= 0 ? this.time[end] : from + this.delay * (end === OPEN ? 0.4 : 0.6);
    });
  }

  /** How often each label comes up. */
  name() {
    this.items.forEach((items) => {
      for (const item of items) {
        if (item[0] !== "note") continue;
        const label = this.labels.get(item[1]) ?? { text: this.texts[item[1]], count: 0, on: true };
        label.count++;
        this.labels.set(item[1], label);
      }
    });
  }

  /** Which block each lane holds from when on: adopted, or final where nothing is only adopted. */
  heads() {
    const adopts = this.items.some((items) => items.some((item) => item[0] === "adopted"));
    this.hasHeads = adopts;
    const wanted = adopts ? "adopted" : "committed";
    this.ribbons = this.lanes.map(() => []);
    this.items.forEach((items, at) => {
      for (const item of items) {
        if (item[0] !== wanted) continue;
        const branch = this.branch(item[2]);
        const ribbon = this.ribbons[this.lane[at]];
        const last = ribbon[ribbon.length - 1];
        if (!last || last.branch !== branch) ribbon.push({ from: this.time[at], branch });
      }
    });
    this.hold();
  }

  /**
   * From when to when each lane is locked, where a protocol remarks that it locks something. What is
   * the last word of the remark; a lock is kept on disk, so it outlives a crash.
   */
  hold() {
    this.locks = [];
    this.moves = new Set();
    const open = new Map();
    const close = (lane, time) => {
      if (open.has(lane)) open.get(lane).to = time;
      open.delete(lane);
    };
    this.items.forEach((items, at) => {
      const [lane, time] = [this.lane[at], this.time[at]];
      for (const item of items) {
        if (item[0] === "committed") close(lane, time);
        if (item[0] !== "note" || this.texts[item[1]] !== "lock") continue;
        const text = this.texts[item[2]];
        const before = open.get(lane);
        const what = text.trim().split(/\s+/).at(-1);
        const moved = before && before.what !== what ? before : null;
        if (moved) this.moves.add(at);
        close(lane, time);
        const lock = { lane, from: time, to: this.end, text, what, moved };
        open.set(lane, lock);
        this.locks.push(lock);
      }
    });
  }

  branch(block) {
    return this.data.blocks[block]?.[1] ?? 0;
  }

  height(number) {
    const slot = this.data.sent.slot[number];
    return slot ? slot[0] : this.spoken(number);
  }

  /** The height of the block that a message is about; none if that is not known. */
  spoken(number) {
    return this.data.blocks[this.data.sent.value[number]]?.[0] ?? null;
  }

  fits(height) {
    if (this.low === 0 && this.high === Infinity) return true;
    return height !== null && (height === 0 || (height >= this.low && height <= this.high));
  }

  showsSent(number) {
    const { sent } = this.data;
    return this.kinds[sent.kind[number]].on && this.classes[sent.class[number]] && this.fits(this.height(number));
  }

  /** Whether something in a moment is to be seen besides arrows. */
  showsItem(item) {
    switch (item[0]) {
      case "note": return this.labels.get(item[1]).on;
      case "adopted":
      case "committed":
      case "found": return this.fits(item[1]);
      case "heard": return false;
      case "sent": return this.showsSent(item[1]);
      case "refused": return false;
      default: return true;
    }
  }

  /** Chooses what is shown, after a filter has changed. */
  choose() {
    const lanes = this.lanes;
    const arrows = [];
    for (let at = 0; at < this.of.length; at++) {
      const number = this.of[at];
      const lane = this.lane[this.data.sent.moment[number]];
      if (lanes[lane].on && lanes[this.to[at]].on && this.showsSent(number)) arrows.push(at);
    }
    this.shown = Int32Array.from(arrows);
    this.latest = new Float64Array(Math.ceil(arrows.length / CHUNK));
    arrows.forEach((arrow, at) => {
      const chunk = Math.floor(at / CHUNK);
      this.latest[chunk] = Math.max(this.latest[chunk], this.until[arrow]);
    });
    const moments = [];
    for (let at = 0; at < this.time.length; at++) {
      if (!lanes[this.lane[at]].on) continue;
      const cause = this.cause[at];
      const heard = cause >= 0 && this.showsSent(cause) &&
        lanes[this.lane[this.data.sent.moment[cause]]].on;
      const rang = this.timers && this.why[at][0] === "timer";
      if (heard || rang || this.items[at].some((item) => this.showsItem(item))) moments.push(at);
    }
    this.moments = Int32Array.from(moments);
    this.worthy = this.moments.filter((at) => this.items[at].some((item) => this.isWorthy(item)));
  }

  /** What must be seen from afar: blocks, and what is rare. */
  isWorthy(item) {
    if (item[0] === "note") return this.labels.get(item[1]).count <= RARE && this.showsItem(item);
    return item[0] !== "sent" && item[0] !== "found" && this.showsItem(item);
  }

  /** The shown arrows that are under way between two times, at most so many, evenly thinned out. */
  between(from, to, most) {
    const { shown, latest } = this;
    const end = lowest(shown.length, (at) => this.from[shown[at]] > to);
    const begin = lowest(shown.length, (at) => this.from[shown[at]] >= from);
    const found = [];
    if (end - begin > most * 2) {
      // Beside so many it does not matter what was under way before.
      this.seen = end - begin;
      const step = (end - begin) / most;
      for (let at = begin; at < end; at += step) found.push(shown[Math.floor(at)]);
      return found;
    }
    for (let chunk = 0; chunk * CHUNK < end; chunk++) {
      if (latest[chunk] < from) continue;
      const stop = Math.min(end, (chunk + 1) * CHUNK);
      for (let at = chunk * CHUNK; at < stop; at++) {
        if (this.until[shown[at]] >= from) found.push(shown[at]);
      }
    }
    this.seen = found.length;
    if (found.length <= most) return found;
    const step = found.length / most;
    return Array.from({ length: most }, (_, at) => found[Math.floor(at * step)]);
  }

  /** The places among the shown moments that lie between two times. */
  range(from, to, moments = this.moments) {
    const { time } = this;
    return [
      lowest(moments.length, (at) => time[moments[at]] >= from),
      lowest(moments.length, (at) => time[moments[at]] > to),
    ];
  }

  /** For each moment: 1 if it led to this one, 2 if this one led to it, 0 if neither. */
  relate(moment) {
    const { lane, before, after, cause, time } = this;
    const mark = new Uint8Array(time.length);
    const todo = [moment];
    while (todo.length) {
      const at = todo.pop();
      for (const from of [before[at], cause[at] >= 0 ? this.data.sent.moment[cause[at]] : -1]) {
        if (from >= 0 && !mark[from]) {
          mark[from] = 1;
          todo.push(from);
        }
      }
    }
    todo.push(moment);
    const next = (at) => {
      if (at >= 0 && !mark[at]) {
        mark[at] = 2;
        todo.push(at);
      }
    };
    while (todo.length) {
      const at = todo.pop();
      next(after[at]);
      for (const item of this.items[at]) {
        if (item[0] === "sent") this.data.sent.arrows[item[1]].forEach(([, end]) => next(end));
      }
    }
    mark[moment] = 3;
    this.related = mark;
    this.picked = lane[moment];
  }
}

function plural(count, word) {
  return count + " " + word + (count === 1 ? "" : "s");
}

function laneName(lane) {
  return "replica " + lane.id + (lane.second ? " (twin)" : "");
}

/** The lowest number below `count` for which something holds that holds from there on. */
function lowest(count, holds) {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** What is worth a look: faults, accusations, forks, later rounds, rare remarks. By time. */
function sights(trace) {
  const found = [];
  const add = (time, text, weight, since = time) => found.push({ time, text, weight, trace, since });
  for (const [from, to, words, cuts] of trace.data.bands) {
    add(from / 1000, words, cuts ? 3 : 1);
    if (cuts && to !== null && to < trace.data.end) add(to / 1000, "end of: " + words, 2);
  }
  const total = trace.data.blocks ? Object.keys(trace.data.blocks).length : 0;
  const rare = Math.max(8, Math.min(RARE, total / 3));
  const told = new Map();
  const held = trace.lanes.map(() => []);
  trace.items.forEach((items, at) => {
    const time = trace.time[at];
    const who = trace.lanes[trace.lane[at]].name;
    for (const item of items) {
      const text = trace.texts[item[2]];
      switch (item[0]) {
        case "crashed": add(time, who + " loses power", 4); break;
        case "started": if (time > 0) add(time, who + " wakes", 2); break;
        case "accused": add(time, who + " accuses " + item[1], 3); break;
        case "halted": add(time, who + " votes no more", 5); break;
        case "adopted": {
          const adopted = held[trace.lane[at]];
          const since = adopted.at(-item[4]) ?? time;
          if (item[4]) add(time, who + " takes back " + plural(item[4], "block"), item[4] < 3 ? 3 : 6, since);
          adopted.push(time);
          break;
        }
        case "note": {
          const label = trace.labels.get(item[1]);
          const last = told.get(item[1]) ?? -Infinity;
          // One of many at once is enough.
          if (label.count > rare || time - last < trace.delay * 3) break;
          told.set(item[1], time);
          add(time, label.text + ": " + text + " (" + who + ")", 3);
          break;
        }
      }
    }
  });
  for (const { from, moved, lane, text } of trace.locks) {
    if (moved) add(from, "lock moves to " + text + " (" + trace.lanes[lane].name + ")", 5, moved.from);
  }
  laterRounds(trace, add);
  forks(trace, add);
  return found.sort((one, other) => one.time - other.time);
}

/** A round or view above the one that a height, or the whole run, began with. */
function laterRounds(trace, add) {
  const { sent } = trace.data;
  const lowestRound = new Map();
  const told = new Set();
  let most = 0;
  sent.slot.forEach((slot, number) => {
    if (!slot || sent.class[number] !== 0) return;
    const [height, , round] = slot;
    const first = lowestRound.get(height) ?? round;
    lowestRound.set(height, Math.min(first, round));
    const key = height + "/" + round;
    if (round > 0 && (round > first || round > most) && !told.has(key)) {
      told.add(key);
      const what = height ? key : "view " + round;
      add(trace.time[sent.moment[number]], "first word in " + what, 4);
    }
    most = Math.max(most, round);
  });
}

/** Two blocks at one height. */
function forks(trace, add) {
  const heights = new Map();
  trace.items.forEach((items, at) => {
    for (const item of items) {
      if (item[0] !== "adopted" && item[0] !== "committed") continue;
      const first = heights.get(item[1]) ?? item[2];
      heights.set(item[1], first);
      if (first !== item[2] && first !== null) {
        heights.set(item[1], null);
        add(trace.time[at], "a rival at height " + item[1], item[0] === "committed" ? 6 : 3);
      }
    }
  });
}
