// What happened, in words. Everything is put on the page as text.

const CLASSES = ["", "again", "passed on", "what it holds", "catching up"];
const FATES = { "-1": "no trace of its arrival", "-2": "lost on the way", "-3": "nothing passes there", "-4": "nobody is up there" };

function clockText(time) {
  if (time >= 10000) return (time / 1000).toFixed(3) + " s";
  return time.toFixed(time < 100 ? 2 : 1) + " ms";
}

function slotText(slot) {
  if (!slot) return "";
  const [height, epoch, round] = slot;
  if (height === 0) return "view " + round;
  return height + (epoch ? "." + epoch : "") + "/" + round;
}

/** The same where there is room. */
function slotLong(slot) {
  const [height, epoch, round] = slot;
  const era = epoch ? ", epoch " + epoch : "";
  if (height === 0) return "view or round " + round + era;
  return "height or number " + height + era + ", round or view " + round;
}

function valueText(trace, value, digits) {
  if (value === null || value === undefined) return "";
  return value < 0 ? "nil" : trace.texts[value].slice(0, digits);
}

/** A message in short: kind, place, value. */
function sentText(trace, number, digits = 8) {
  const { sent } = trace.data;
  const parts = [
    trace.kinds[sent.kind[number]].name,
    sent.slot[number] ? slotText(sent.slot[number]) : trace.spoken(number),
    valueText(trace, sent.value[number], digits),
  ];
  return parts.filter((part) => part).join(" ");
}

function sender(trace, number) {
  return trace.lane[trace.data.sent.moment[number]];
}

/** Who signed it, if that is not who sent it. */
function signerText(trace, number) {
  const signer = trace.data.sent.signer[number];
  if (signer === null || signer === trace.lanes[sender(trace, number)].id) return "";
  return "signed by " + signer;
}

function sizeText(trace, number) {
  const bytes = trace.data.sent.bytes[number];
  return bytes === null ? "" : bytes + " bytes";
}

/** What made a moment happen. */
function whyText(trace, moment) {
  const why = trace.why[moment];
  switch (why[0]) {
    case "message": {
      const from = trace.lanes[sender(trace, why[1])].name;
      return sentText(trace, why[1]) + " of " + from + " arrives";
    }
    case "stranger": return "envelope " + why[2] + " of replica " + why[1] + " arrives; it is not seen to be sent";
    case "timer": return "its timer of " + slotText(why[1]) + " rings";
    case "client": return "a client asks for a transaction";
    case "found": return "its miner finds a block";
    case "birth": return "its life begins";
    case "crash": return "it loses power";
    default: return "its own clock, or somebody who asks";
  }
}

function itemText(trace, item, mine) {
  const text = (at) => trace.texts[item[at]];
  switch (item[0]) {
    case "started": return "begins with final height " + item[1];
    case "heard": {
      const parts = [text(2), slotText(item[3]), valueText(trace, item[4], 8)];
      const whose = item[1] === mine ? "its own " : "";
      return "takes in " + whose + parts.filter((part) => part).join(" ") + (whose ? "" : " of " + item[1]);
    }
    case "sent": {
      const to = trace.data.sent.arrows[item[1]].map(([lane]) => trace.lanes[lane].id);
      const how = CLASSES[trace.data.sent.class[item[1]]];
      return "sends " + sentText(trace, item[1]) + " to " + (to.join(", ") || "nobody") + (how ? " (" + how + ")" : "");
    }
    case "refused": return "throws away " + text(1) + ": " + text(2);
    case "adopted": return "its head is block " + text(2) + " of height " + item[1] +
      (item[3] ? "; " + item[3] + " transactions wait again" : "");
    case "committed": return "block " + text(2) + " is final at height " + item[1] + " (" + item[3] + " transactions)";
    case "note": return text(1) + ": " + text(2);
    case "accused": return "accuses replica " + item[1] + " of " + text(2) + (item[3] ? " at " + slotText(item[3]) : "");
    case "halted": return "votes no more: " + text(1);
    case "found": return "finds block " + text(2) + " of height " + item[1];
    case "crashed": return "loses power, and what it had not synced";
    default: return "";
  }
}

/** What is told of an arrow where the pointer is. */
function arrowTip(trace, arrow) {
  const number = trace.of[arrow];
  const { sent } = trace.data;
  const moment = sent.moment[number];
  const [from, to] = [trace.lanes[trace.lane[moment]], trace.lanes[trace.to[arrow]]];
  const fate = trace.fate[arrow];
  const lines = [sentText(trace, number) + "  " + from.id + " → " + to.id];
  if (sent.slot[number]) lines.push(slotLong(sent.slot[number]));
  lines.push([signerText(trace, number), CLASSES[sent.class[number]], sizeText(trace, number)]
    .filter((part) => part).join(", "));
  if (sent.more[number] !== null) lines.push(trace.texts[sent.more[number]]);
  lines.push("sent " + clockText(trace.time[moment]) +
    (fate >= 0 ? ", arrived " + clockText(trace.time[fate]) : ", " + FATES[fate]));
  lines.push("because " + whyText(trace, moment));
  return lines.filter((line) => line).join("\n");
}

function momentTip(trace, moment) {
  const lines = [trace.lanes[trace.lane[moment]].name + " at " + clockText(trace.time[moment]), whyText(trace, moment)];
  const items = trace.items[moment].filter((item) => item[0] !== "heard");
  items.slice(0, 8).forEach((item) => lines.push("• " + itemText(trace, item)));
  if (items.length > 8) lines.push("and " + (items.length - 8) + " more");
  return lines.join("\n");
}

function element(tag, text, parent) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

/** Tells of a moment in full, with ways to what caused it and to what came of it. */
function tellMoment(panel, trace, moment, go) {
  panel.replaceChildren();
  const lane = trace.lanes[trace.lane[moment]];
  element("h2", lane.name + (lane.lie ? ", which lies" : ""), panel);
  element("p", clockText(trace.time[moment]) + ", Lamport clock " + trace.lamport[moment], panel);
  element("h3", "Because", panel);
  const because = element("p", "", panel);
  const cause = trace.cause[moment];
  if (cause >= 0) {
    const origin = trace.data.sent.moment[cause];
    link(because, whyText(trace, moment), () => go(trace, origin));
    element("span", " (sent " + clockText(trace.time[origin]) + ")", because);
    const more = trace.data.sent.more[cause];
    if (more !== null) element("p", "It " + trace.texts[more] + ".", panel);
  } else {
    because.textContent = whyText(trace, moment);
  }
  const rest = trace.items[moment].filter((item) => item[0] !== "sent");
  if (rest.length) {
    element("h3", "So it", panel);
    const list = element("ul", "", panel);
    rest.slice(0, 200).forEach((item) => element("li", itemText(trace, item, lane.id), list));
  }
  const sent = trace.items[moment].filter((item) => item[0] === "sent");
  sent.slice(0, 50).forEach((item) => tellSent(panel, trace, item[1], go));
}

function tellSent(panel, trace, number, go) {
  const { sent } = trace.data;
  const how = CLASSES[sent.class[number]];
  element("h3", "Sends " + sentText(trace, number) + (how ? ", " + how : ""), panel);
  const more = [signerText(trace, number), sizeText(trace, number)];
  if (sent.slot[number]) more.push(slotLong(sent.slot[number]));
  if (sent.more[number] !== null) more.push(trace.texts[sent.more[number]]);
  element("p", more.filter((part) => part).join("; "), panel);
  const list = element("ul", "", panel);
  sent.arrows[number].slice(0, 100).forEach(([to, end]) => {
    const entry = element("li", "", list);
    const name = trace.lanes[to].name;
    if (end >= 0) link(entry, name + " at " + clockText(trace.time[end]), () => go(trace, end));
    else entry.textContent = name + ": " + FATES[end];
  });
}

function link(parent, text, act) {
  const button = element("button", text, parent);
  button.className = "go";
  button.addEventListener("click", act);
}
