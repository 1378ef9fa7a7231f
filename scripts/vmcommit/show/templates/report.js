"use strict";

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

/* Sizes, times and counts as the rest of the page writes them. */
const digits = (value, count) => String(Number(value.toPrecision(count)));
const scaled = (value, units, count, from = 1) => {
  const [factor, name] = units.find(([least]) => Math.abs(value) >= from * least) ?? units.at(-1);
  return `${digits(value / factor, count)}\u00a0${name}`;
};
const sizeText = (value) => scaled(value, {{ unit_sizes | tojson }}, 4);
const timeText = (value) => scaled(value, {{ unit_times | tojson }}, 3, 0.9995);
const texts = {
  bytes: sizeText, ns: timeText, plain: (value) => digits(value, 3),
  ratio: (value) => value.toFixed(3),
  count: (value) => Math.round(value).toLocaleString("en").replaceAll(",", " "),
};

/* A click on a chart opens it in full size; Escape or the button closes it. */
const dialog = document.querySelector("dialog");
for (const button of document.querySelectorAll("button.zoom")) {
  button.addEventListener("click", () => {
    const shown = button.querySelector("img");
    const image = dialog.querySelector("img");
    image.src = shown.src;
    image.alt = shown.alt;
    dialog.showModal();
  });
}

/* Tables: a click on a heading sorts by that column, a second one the other way round; cells that are
 * empty stay at the end. A field filters the rows, a button copies those that are left. */
const valueOf = (row, column) => {
  const cell = row.cells[column];
  return cell.dataset.v === undefined ? cell.textContent.trim() : Number(cell.dataset.v);
};

const compare = (a, b, direction) => {
  if (a === "" || b === "") return (a === "") - (b === "");
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(b);
  return direction * order;
};

const sort = (table, headings, heading) => {
  const descending = heading.getAttribute("aria-sort") === "ascending";
  headings.forEach((other) => other.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const column = headings.indexOf(heading);
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => compare(valueOf(a, column), valueOf(b, column), descending ? -1 : 1));
  rows.forEach((row) => row.classList.remove("first"));
  table.tBodies[0].append(...rows);
};

/* The page keeps numbers and units together; who pastes them elsewhere has common spaces. */
const plain = (text) => text.replaceAll("\u00a0", " ");

const separated = (table) => [table.tHead.rows[0], ...table.tBodies[0].rows]
  .filter((row) => !row.hidden)
  .map((row) => [...row.cells].map((cell) => cell.dataset.v ?? plain(cell.textContent.trim())).join("\t"))
  .join("\n") + "\n";

/* The clipboard's own interface is missing where a page was opened from a file. */
const copied = async (text) => {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = element("textarea", { value: text });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
};

const FEW = 8;  // rows that need no filter
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  for (const heading of headings) {
    const button = element("button", { type: "button" }, ...heading.childNodes);
    button.addEventListener("click", () => sort(table, headings, heading));
    heading.append(button);
  }
  const name = table.caption.textContent;
  const copy = element("button", { type: "button", className: "tool", textContent: "Copy" });
  copy.setAttribute("aria-label", `Copy as text: ${name}`);
  copy.addEventListener("click", async () => {
    await copied(separated(table));
    copy.textContent = "Copied";
  });
  const tools = element("div", { className: "tools" }, copy);
  if (table.tBodies[0].rows.length > FEW) {
    const filter = element("input", { type: "search", placeholder: "Filter rows" });
    filter.setAttribute("aria-label", `Filter rows: ${name}`);
    filter.addEventListener("input", () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const row of table.tBodies[0].rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
    });
    tools.prepend(filter);
  }
  table.parentElement.before(tools);
}

/* A link to a row opens what it lies in, and shows it whatever the filter. */
const reveal = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  target.hidden = false;
  const details = target.closest("details");
  if (details) details.open = true;
  target.scrollIntoView();
};
addEventListener("hashchange", reveal);

/* Charts with values under the pointer, drawn from the tables behind the pictures. The pictures stay
 * for printing and for full size. */
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const ink = (color) => color === "#000000" ? style("--ink") : color;

const seriesOf = (table) => {
  const series = new Map();
  for (const row of table.tBodies[0].rows) {
    const [head, ...cells] = row.cells;
    const values = cells.map((cell) => cell.dataset.v === undefined ? null : Number(cell.dataset.v));
    if (values[0] === null) continue;
    const known = series.get(head.textContent) ?? { color: head.dataset.color, points: new Map() };
    known.points.set(values[0], values.slice(1));
    series.set(head.textContent, known);
  }
  return series;
};

const LOG = 3, LINEAR = 1;  // uPlot's names of scales
const logOr = (log, axis, values) => log.includes(axis) && values.every((value) => value === null || value > 0) ? LOG : LINEAR;

/* 1, 2, 5, 10, ... */
const between = (low, high) => {
  const marks = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power += 1) {
    marks.push(...[1, 2, 5].map((digit) => digit * 10 ** power).filter((mark) => mark >= low && mark <= high));
  }
  return marks;
};

/* Marks of a logarithmic axis of bytes are powers of 2, so many that their texts do not touch. */
const powersOf = (base, low, high, most) => {
  if (base === 10 && high / low < 300) return between(low, high);
  const first = Math.ceil(Math.log(low) / Math.log(base) - 1e-9);
  const last = Math.floor(Math.log(high) / Math.log(base) + 1e-9);
  const step = Math.max(1, Math.ceil((last - first + 1) / most));
  const marks = [];
  for (let power = first; power <= last; power += step) marks.push(base ** power);
  return marks;
};

/* Marks of a linear axis of bytes are multiples of a power of 2. */
const multiplesOf = (low, high, most) => {
  const step = 2 ** Math.ceil(Math.log2((high - low) / most));
  const marks = [];
  for (let mark = Math.ceil(low / step) * step; mark <= high; mark += step) marks.push(mark);
  return marks;
};

const splits = (unit, scale, side) => {
  const most = (plot) => side === 3 ? 6 : Math.max(2, Math.floor(plot.width / 100));
  if (scale === LOG) {
    return { splits: (plot, _, low, high) => powersOf(unit === "bytes" ? 2 : 10, low, high, most(plot)),
      filter: (_, marks) => marks };
  }
  return unit === "bytes" ? { splits: (plot, _, low, high) => multiplesOf(low, high, most(plot)) } : {};
};

const axis = (unit, scale, label, side) => ({
  side, label, stroke: ink("#000000"), font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif",
  grid: { stroke: style("--line"), width: 1 }, ticks: { stroke: style("--line"), width: 1 },
  ...(side === 3 ? { size: 72 } : { space: 64 }),
  values: (_, marks) => marks.map((mark) => mark === null ? "" : texts[unit](mark)),
  ...splits(unit, scale, side),
});

const live = (table) => {
  const series = seriesOf(table);
  const [unitX, unitY] = table.dataset.units.split(" ");
  const headings = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const places = [...new Set([...series.values()].flatMap(({ points }) => [...points.keys()]))].sort((a, b) => a - b);
  if (places.length < 2) return null;
  const values = [...series.values()].map(({ points }) => places.map((place) => points.get(place) ?? []));
  const middles = values.map((rows) => rows.map(([middle]) => middle ?? null));
  const known = values.flat(2).filter((value) => value != null);
  const ends = [Math.min(...known), Math.max(...known)];  // of confidence intervals too
  const scales = [logOr(table.dataset.log, "x", places), logOr(table.dataset.log, "y", known)];
  const text = (index) => (_, value, __, at) => {
    if (value === null || at === null) return "–";
    const [, low, high] = values[index][at];
    return texts[unitY](value) + (low == null || high == null ? "" : ` (${texts[unitY](low)} to ${texts[unitY](high)})`);
  };
  const paths = "stairs" in table.dataset ? { paths: uPlot.paths.stepped({ align: -1 }) } : {};
  const place = element("div", { className: "live" });
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", `${table.caption.textContent}. The figures stand in the table below.`);
  let plot;
  const options = () => ({
    title: table.caption.textContent.split(": ").slice(1).join(": "),
    width: place.clientWidth, height: 300, padding: [null, 36, null, null], cursor: { points: { size: 7 } },
    scales: {
      x: { time: false, distr: scales[0], log: unitX === "bytes" ? 2 : 10 },
      y: { distr: scales[1], range: scales[1] === LOG ? uPlot.rangeLog(ends[0], ends[1], 10, false)
        : [Math.min(0, ends[0]), ends[1] * 1.05 || 1] },
    },
    axes: [axis(unitX, scales[0], headings[1], 2), axis(unitY, scales[1], headings[2], 3)],
    series: [{ label: headings[1], value: (_, value) => value === null ? "–" : texts[unitX](value) },
      ...[...series].map(([label, { color }], index) => ({
        label, stroke: ink(color), width: 2, spanGaps: true, points: { size: 6 }, value: text(index), ...paths,
      }))],
    hooks: { draw: [(drawn) => whiskers(drawn, values, series)] },
  });
  const draw = () => {
    plot?.destroy();
    plot = new uPlot(options(), [places, ...middles], place);
  };
  return { place, draw };
};

/* Confidence intervals as upright lines. */
const whiskers = (plot, values, series) => {
  const context = plot.ctx;
  context.save();
  context.lineWidth = devicePixelRatio;
  [...series.values()].forEach(({ color }, index) => {
    if (!plot.series[index + 1].show) return;
    context.strokeStyle = ink(color);
    values[index].forEach(([, low, high], at) => {
      if (low == null || high == null) return;
      const x = plot.valToPos(plot.data[0][at], "x", true);
      context.beginPath();
      context.moveTo(x, plot.valToPos(low, "y", true));
      context.lineTo(x, plot.valToPos(high, "y", true));
      context.stroke();
    });
  });
  context.restore();
};

const drawings = [];
for (const figure of document.querySelectorAll("figure")) {
  const made = [...figure.querySelectorAll("table[data-log]")].map(live).filter(Boolean);
  if (!made.length) continue;
  const panels = element("div", { className: "panels" }, ...made.map(({ place }) => place));
  figure.querySelector("h3").after(panels);
  if (figure.querySelector("table[data-log] td:nth-child(4)")) {
    figure.querySelector("figcaption").append(element("span", { className: "screen",
      textContent: " Upright lines are confidence intervals." }));
  }
  figure.classList.add("has-live");
  drawings.push(...made);
}
const redraw = () => drawings.forEach(({ draw }) => draw());
const whenSeen = new IntersectionObserver((seen) => seen.filter(({ isIntersecting }) => isIntersecting)
  .forEach(({ target }) => {
    whenSeen.unobserve(target);
    drawings.find(({ place }) => place === target).draw();
  }), { rootMargin: "600px" });
drawings.forEach(({ place }) => whenSeen.observe(place));
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  redraw();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

/* What a chosen configuration takes and is charged, by the model and by what was measured nearby. */
const source = document.getElementById("measured-data");
const data = source && JSON.parse(source.textContent);
const NEAREST = 6;

const tell = (id, rows) => {
  const table = document.getElementById(id);
  table.hidden = rows.length === 0;
  table.tBodies[0].replaceChildren(...rows.map(([name, ...cells]) => element("tr", {},
    element("th", { scope: "row" }, name), ...cells.map((cell) => element("td", {}, cell)))));
};

const within = (ns, low, high, factor = 1) => element("span", {}, timeText(ns * factor), " ",
  element("small", {}, low === null ? "" : `${timeText(low * factor)}–${timeText(high * factor)}`));

const byModel = (chosen) => data.names
  .filter((name) => data.predictions[name] && (!chosen.strategy || chosen.strategy === name))
  .map((name) => {
    const steps = data.predictions[name];
    const stepped = steps.length > 1;
    const at = stepped ? data.steps.indexOf(chosen.step) : 0;
    const [ns, low, high, charge, outside] = steps[at][data.sizes.indexOf(chosen.size)][data.touches.indexOf(chosen.touch)];
    const pages = Math.max(1, Math.ceil(chosen.size * chosen.touch / data.page));
    return [name, within(ns, low, high), within(ns, low, high, pages), sizeText(charge),
      sizeText(charge - pages * data.page), outside ? "beyond what was measured" : ""];
  });

const distance = (chosen) => ([, size, touched, step]) => Math.abs(Math.log2(size / chosen.size))
  + Math.abs(Math.log2(touched / size / chosen.touch)) + (step === null ? 0 : Math.abs(Math.log2(step / chosen.step)));

const nearby = (chosen) => {
  const far = distance(chosen);
  return data.rows
    .filter(([name, , , , order]) => order === chosen.order && (!chosen.strategy || chosen.strategy === name))
    .sort((a, b) => far(a) - far(b)).slice(0, NEAREST)
    .map(([name, size, touched, step, , ns, low, high, charge, anchor]) => [
      element("a", { href: `#${anchor}` }, name), sizeText(size), sizeText(touched), step === null ? "" : sizeText(step),
      within(ns, low, high), charge === null ? "" : sizeText(charge)]);
};

const choose = (form) => {
  const { size, touch, step, order, strategy } = Object.fromEntries(new FormData(form));
  const chosen = { size: Number(size), touch: Number(touch), step: Number(step), order, strategy };
  const inOrder = order === "sequential";
  const rows = nearby(chosen);
  const expected = inOrder ? byModel(chosen) : [];
  tell("chosen-model", expected);
  tell("chosen-rows", rows);
  document.getElementById("chosen-note").textContent = !rows.length ? "Nothing was measured in this order." :
    !inOrder ? "The cost model is of pages touched in sequence: only what was measured stands here." :
    expected.length ? "" : "There is no cost model of it: too few configurations were measured.";
};

if (data) {
  const form = document.getElementById("chosen");
  form.addEventListener("input", () => choose(form));
  form.addEventListener("submit", (event) => event.preventDefault());
  choose(form);
}

/* All that is folded is printed too. */
addEventListener("beforeprint", () => document.querySelectorAll("#answer details").forEach((details) => { details.open = true; }));
reveal();
