const seen = new Map();
const count = n => Number(n).toLocaleString("en");
const clock = at => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const moment = at => {
  const day = new Date(at);
  const today = day.toDateString() === new Date().toDateString();
  return day.toLocaleString([], today ? { hour: "2-digit", minute: "2-digit" }
    : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
};

function node(tag, text, name) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  return made;
}

function stateOf(c) {
  if (c.ended) return [`ended: exit ${c.ended.exit}`, c.ended.exit === 0 ? "" : c.ended.exit === 4 ? "held" : "bad"];
  if (c.paused) return [c.running ? "paused" : "paused, not running", "held"];
  return c.running ? ["running", ""] : ["not running", "held"];
}

function lines(rows) {
  return rows.map(row => {
    const item = node("li");
    const time = node("time", clock(row.at));
    time.dateTime = row.at;
    item.append(time, node("span", row.text, row.trouble ? "trouble" : ""));
    return item;
  });
}

function bars(outcomes) {
  const rows = Object.entries(outcomes).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  const most = Math.max(1, ...rows.map(([, n]) => n));
  return rows.map(([name, n]) => {
    const item = node("li"), bar = node("b");
    bar.style.width = `${100 * n / most}%`;
    const box = node("span");
    box.append(bar);
    item.append(node("span", name.replace("-", " ")), box, node("span", count(n)));
    return item;
  });
}

function show(root, c) {
  const field = name => root.querySelector(`[data-f="${name}"]`);
  const set = (name, text) => { const at = field(name); if (at.textContent !== text) at.textContent = text; };
  const section = (name, on) => { root.querySelector(`[data-s="${name}"]`).hidden = !on; };
  const list = (name, items) => {
    section(name, items.length > 0);
    const at = root.querySelector(`[data-l="${name}"]`);
    const key = items.map(item => item.textContent).join("\n");
    if (at.dataset.key !== key) { at.dataset.key = key; at.replaceChildren(...items); }
  };
  const [state, mood] = stateOf(c), l = c.leads;
  set("name", c.campaign);
  set("what", [c.list || (c.lists || []).join(", "), c.sandbox ? "sandbox: nobody is called" : ""].filter(Boolean).join(" · "));
  set("state", state);
  field("state").className = `badge ${mood}`;
  set("held", c.ended ? c.ended.meaning : c.held_up || "");
  section("ended", Boolean(c.ended));
  set("report", c.ended ? c.ended.report : "");
  const bar = root.querySelector("[data-p=leads]");
  bar.max = Math.max(1, l.total);
  bar.value = l.settled;
  const percent = l.total ? Math.floor(100 * l.settled / l.total) : 100;
  set("settled", `${count(l.settled)} of ${count(l.total)} · ${percent}%`);
  set("open", count(l.open));
  set("doubt", count(l.in_doubt));
  section("batch", Boolean(c.batch));
  set("batch", c.batch ? `batch ${count(c.batch.number)}` : "");
  set("done", c.batch ? `${c.batch.done} of ${c.batch.size}` : "");
  section("pace", !c.ended && c.settled_per_minute != null);
  set("pace", String(c.settled_per_minute ?? ""));
  section("rate", !c.ended && c.calls_per_minute != null);
  set("rate", String(c.calls_per_minute ?? ""));
  section("eta", !c.ended && Boolean(c.done_at));
  set("eta", c.done_at ? moment(c.done_at) : "");
  set("cost", `$${c.cost_usd.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`);
  section("pool", Boolean(c.pool));
  if (c.pool) {
    set("limit", `${c.pool.limit} slots`);
    for (const kind of ["ours", "others", "free", "reserve"]) set(kind, count(c.pool[kind]));
  }
  list("outcomes", bars(c.dispositions));
  list("notices", lines(c.notices || []));
  list("calls", lines(c.calls || []));
}

function draw(known) {
  drawPool(known.root.querySelector("svg"), known.points);
}

function take(campaigns) {
  document.getElementById("none").hidden = campaigns.length > 0;
  for (const c of campaigns) {
    const key = `${c.account}\n${c.campaign}`;
    if (!seen.has(key)) {
      const root = document.getElementById("campaign").content.firstElementChild.cloneNode(true);
      document.getElementById("all").append(root);
      seen.set(key, { root, points: [] });
    }
    const known = seen.get(key);
    if (c.history) {
      known.points.length = Math.min(known.points.length, c.history.from);
      known.points.push(...c.history.points);
    }
    show(known.root, c);
    draw(known);
  }
  const [first] = campaigns;
  if (campaigns.length === 1) {
    const share = first.leads.total ? Math.floor(100 * first.leads.settled / first.leads.total) : 100;
    document.title = `${share}% ${first.campaign} · dialer`;
  }
}

const link = document.getElementById("link");
const tell = (text, lost) => { link.textContent = text; link.className = lost ? "lost" : ""; };
const source = new EventSource("/events");
source.onopen = () => tell("live", false);
source.onerror = () => tell("connection lost: this is the last picture; trying again", true);
source.onmessage = event => {
  const campaigns = JSON.parse(event.data);
  take(campaigns);
  if (campaigns.length && campaigns.every(c => c.ended && !c.goes_on)) {
    source.close();
    tell("the run is over: this is its last picture", false);
  }
};
addEventListener("resize", () => seen.forEach(draw));
