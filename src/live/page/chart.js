"use strict";
// The pool over time: calls of this campaign below, other calls on top of them, the limit, and the reserve below it.
function drawPool(svg, points) {
  const width = svg.clientWidth, height = svg.clientHeight;
  if (!width || !height) return;
  const left = 26, right = width - 6, top = 8, bottom = height - 20;
  const shape = (name, more) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(more)) node.setAttribute(key, value);
    return node;
  };
  const words = (x, y, text, anchor) => {
    const node = shape("text", { x, y, "text-anchor": anchor });
    node.textContent = text;
    return node;
  };
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  if (!points.length) { svg.replaceChildren(); return; }
  const most = Math.max(1, ...points.map(([, ours, others, limit]) => Math.max(limit, ours + others)));
  const first = points[0][0], last = Math.max(points[points.length - 1][0], first + 1000);
  const x = at => (left + (right - left) * (at - first) / (last - first)).toFixed(1);
  const y = slots => (bottom - (bottom - top) * Math.max(0, slots) / most).toFixed(1);
  // What a point shows holds until the next one.
  const steps = of => points.map((point, nth) => {
    const until = nth + 1 < points.length ? points[nth + 1][0] : last;
    return `${x(point[0])},${y(of(point))} ${x(until)},${y(of(point))}`;
  });
  const back = of => points.map((point, nth) => {
    const until = nth + 1 < points.length ? points[nth + 1][0] : last;
    return `${x(until)},${y(of(point))} ${x(point[0])},${y(of(point))}`;
  }).reverse();
  const ours = p => p[1], both = p => p[1] + p[2], limit = p => p[3], kept = p => p[3] - p[4];
  const area = (upper, lower) => `M${steps(upper).join("L")}L${back(lower).join("L")}Z`;
  const hatch = shape("pattern", { id: "hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  hatch.append(shape("line", { x1: 0, y1: 0, x2: 0, y2: 5, class: "hatch" }));
  const defs = shape("defs", {});
  defs.append(hatch);
  const time = at => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  svg.replaceChildren(
    defs,
    shape("path", { d: area(both, ours), fill: "url(#hatch)", class: "others" }),
    shape("path", { d: area(ours, () => 0), class: "ours" }),
    shape("polyline", { points: steps(limit).join(" "), class: "limit" }),
    shape("polyline", { points: steps(kept).join(" "), class: "reserve" }),
    words(left - 6, +bottom + 4, "0", "end"),
    words(left - 6, top + 8, String(most), "end"),
    words(left, height - 4, time(first), "start"),
    words(right, height - 4, time(last), "end"),
  );
  const now = points[points.length - 1];
  svg.setAttribute("aria-label", `The pool from ${time(first)} to ${time(last)}; now ${now[1]} calls of this campaign, ` +
    `${now[2]} other calls, a limit of ${now[3]} and a reserve of ${now[4]}.`);
}
