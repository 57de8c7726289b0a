// Time as it is drawn. Chains wait most of the time; where nothing happens for long, time is squeezed, and
// it says so. Both diagrams have one clock, squeezed or not.

/** How many typical delays of a message a pause may last before it is squeezed to that. */
const PAUSE = 5;

class Clock {
  constructor(traces, end, squeezed) {
    this.real = [0];
    this.drawn = [0];
    this.gaps = [];
    const delay = Math.max(...traces.map((trace) => trace.delay));
    const most = squeezed ? delay * PAUSE : Infinity;
    let before = 0;
    for (const time of happenings(traces, end)) {
      const pause = time - before;
      if (pause > most * 1.3) {
        this.add(before, before - this.real.at(-1));
        this.gaps.push(this.real.length - 1);
        this.add(time, most);
      }
      before = time;
    }
    this.end = this.at(end);
  }

  /** Time goes on to this, and takes so much room. */
  add(time, room) {
    const drawn = this.drawn.at(-1) + room;
    this.real.push(time);
    this.drawn.push(drawn);
  }

  /** Where a time is drawn. */
  at(time) {
    return between(this.real, this.drawn, time);
  }

  /** Which time is drawn there. */
  time(place) {
    return between(this.drawn, this.real, place);
  }

  /** The pauses that are squeezed and lie in view: from and to, in time. */
  pauses(from, to) {
    const { gaps, real } = this;
    const first = lowest(gaps.length, (at) => real[gaps[at] + 1] >= from);
    const last = lowest(gaps.length, (at) => real[gaps[at]] > to);
    return gaps.slice(first, last).map((at) => [real[at], real[at + 1]]);
  }
}

/** On the line through points with rising coordinates, on which one goes on past both ends. */
function between(xs, ys, x) {
  const after = lowest(xs.length, (at) => xs[at] > x);
  if (after === 0) return ys[0] + x - xs[0];
  const at = after - 1;
  if (after === xs.length) return ys[at] + x - xs[at];
  return ys[at] + ((x - xs[at]) / (xs[after] - xs[at])) * (ys[after] - ys[at]);
}

/** When something happens that is shown, by rising time. */
function happenings(traces, end) {
  const times = [0, end];
  for (const trace of traces) {
    for (const moment of trace.moments) times.push(trace.time[moment]);
    for (const [from, to] of trace.data.bands) times.push(from / 1000, (to ?? from) / 1000);
  }
  return Float64Array.from(times).sort();
}
