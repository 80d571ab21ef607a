// Draws the charts where the server has drawn them first, and goes on drawing as time passes.
// Colours are those of the legend, so that a theme changes both.

/* global uPlot */

const RETRY_MS = 10_000;
const DASHES = { second: [6, 3], warning: [6, 3], unknown: [2, 3], changing: [8, 3, 2, 3] };
const box = document.getElementById("charts");
const plots = new Map(); // id of a chart → what draws it
let step = RETRY_MS;

function colour(element, name = "color") {
  return getComputedStyle(element)[name];
}

function drawn(figure, data) {
  const plot = figure.querySelector(".plot");
  const keys = [...figure.querySelectorAll(".legend .key")];
  const quiet = figure.querySelector("small");
  const axis = {
    stroke: () => colour(quiet),
    grid: { stroke: () => colour(document.querySelector("section"), "borderTopColor"), width: 1 },
    ticks: { show: false },
    font: `${fontSize(quiet)} ${getComputedStyle(quiet).fontFamily}`,
  };
  const options = {
    ...size(plot),
    legend: { show: false },
    cursor: { show: false },
    tzDate: (time) => uPlot.tzDate(new Date((time + data.offset) * 1000), "Etc/UTC"),
    scales: { y: { range: (_, low, high) => [0, high > 0 ? high * 1.08 : 1] } },
    axes: [
      {
        ...axis,
        size: 2.1 * pixels(quiet),
        space: 5 * pixels(quiet),
        values: (_, times) => times.map((time) => clock(time + data.offset)),
      },
      { ...axis, size: 3.6 * pixels(quiet), space: 2.2 * pixels(quiet) },
    ],
    series: [
      {},
      ...keys.map((key) => ({
        stroke: () => colour(key),
        width: Math.max(1.5, pixels(quiet) / 9),
        dash: DASHES[[...key.classList].find((name) => name in DASHES)],
        points: { show: false },
      })),
    ],
  };
  plot.replaceChildren();
  return new uPlot(options, values(figure, data), plot);
}

// The time of day; of midnight, the day.
function clock(seconds) {
  const text = new Date(seconds * 1000).toISOString();
  return text.slice(11, 16) === "00:00" ? text.slice(5, 10) : text.slice(11, 16);
}

function pixels(element) {
  return Number.parseFloat(getComputedStyle(element).fontSize);
}

function fontSize(element) {
  return `${pixels(element)}px`;
}

function size(plot) {
  return { width: plot.clientWidth, height: plot.clientHeight };
}

// The time axis always reaches back as far as was chosen: nothing known is empty space.
function values(figure, data) {
  const lines = data.charts[figure.dataset.chart].map((line) => line.values);
  if (data.times[0] < data.begin + data.step) return [data.times, ...lines];
  return [[data.begin, ...data.times], ...lines.map((line) => [null, ...line])];
}

function show(data) {
  step = data.step * 1000;
  for (const figure of box.querySelectorAll("[data-chart]")) {
    const id = figure.dataset.chart;
    const known = plots.get(id);
    if (known) known.setData(values(figure, data));
    else plots.set(id, drawn(figure, data));
    const told = figure.querySelectorAll("[data-now]");
    data.charts[id].forEach((line, index) => {
      if (told[index].textContent !== line.now) told[index].textContent = line.now;
    });
  }
}

async function read() {
  if (!document.hidden) {
    try {
      const reply = await fetch(box.dataset.charts, { cache: "no-store" });
      if (reply.status === 200) show(await reply.json());
    } catch {
      // What was drawn stays; the page itself says when its server is gone.
    }
  }
  setTimeout(read, Math.min(step, 60_000));
}

if (box && !document.body.hasAttribute("data-as-of")) {
  new ResizeObserver(() => {
    for (const [id, plot] of plots) {
      plot.setSize(size(box.querySelector(`[data-chart="${id}"] .plot`)));
    }
  }).observe(box);
  const redraw = () => plots.forEach((plot) => plot.redraw(false));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  document.addEventListener("mds:theme", redraw);
  read();
}
