// Draws the charts, and ties the legend, the slider and the choices of axes to them.
// Names of initializers and configs are data here: they are compared, and never become markup.

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const payload = read("payload");
const unpacked = new Map();

/** The rows of a table, which the page holds by columns. */
function table(name) {
  if (!unpacked.has(name)) {
    const { rows, columns } = payload.tables[name];
    const result = Array.from({ length: rows }, () => ({}));
    for (const [key, column] of Object.entries(columns)) {
      const { values, codes } = Array.isArray(column) ? { values: column } : column;
      result.forEach((row, i) => { row[key] = codes ? values[codes[i]] : values[i]; });
    }
    unpacked.set(name, result);
  }
  return unpacked.get(name);
}

/** The names of the tables that a specification reads. */
function tablesOf(node, found = new Set()) {
  if (Array.isArray(node)) node.forEach((one) => tablesOf(one, found));
  else if (node && typeof node === "object") {
    if (node.data && node.data.name) found.add(node.data.name);
    Object.values(node).forEach((one) => tablesOf(one, found));
  }
  return found;
}

const signals = (problem) => (problem.signals ??= {});

/** Every view of a problem that has the signal is given the value, now or when it is drawn. */
function set(problem, signal, value) {
  signals(problem)[signal] = value;
  const waiting = [];
  for (const place of problem.querySelectorAll(".chart")) {
    if (place.view && signal in place.view.getState().signals) {
      waiting.push(place.view.signal(signal, value).runAsync());
    }
  }
  return Promise.all(waiting);
}

async function draw(place) {
  if (place.view || place.drawing) return;
  place.drawing = true;
  const spec = structuredClone(payload.charts[place.dataset.chart]);
  spec.datasets = Object.fromEntries([...tablesOf(spec)].map((name) => [name, table(name)]));
  const { view } = await window.vegaEmbed(place, spec, {
    config: payload.config, renderer: "svg", actions: false, ast: false,
  });
  place.view = view;
  const known = view.getState().signals;
  for (const [signal, value] of Object.entries(signals(place.closest(".problem")))) {
    if (signal in known) await view.signal(signal, value).runAsync();
  }
}

function legend(problem) {
  const group = problem.querySelector(".legend");
  const names = JSON.parse(group.dataset.names);
  const buttons = [...group.querySelectorAll("button")];
  buttons.forEach((button) => button.addEventListener("click", () => {
    const shown = button.getAttribute("aria-pressed") === "true";
    button.setAttribute("aria-pressed", String(!shown));
    const hidden = buttons.filter((one) => one.getAttribute("aria-pressed") === "false");
    for (const card of problem.querySelectorAll(".card")) {
      card.hidden = hidden.some((one) => one.dataset.series === card.dataset.series);
    }
    set(problem, "hidden", hidden.map((one) => names[Number(one.dataset.series)]));
  }));
}

function slider(problem) {
  const bar = problem.querySelector(".slider");
  if (!bar) return;
  const iterations = JSON.parse(bar.dataset.iterations);
  const [input, output, play] = ["input", "output", ".play"].map((s) => bar.querySelector(s));
  const show = () => {
    const iteration = iterations[Number(input.value)];
    output.textContent = iteration.toLocaleString("en");
    input.setAttribute("aria-valuetext", `iteration ${output.textContent}`);
    return set(problem, "iteration", iteration);
  };
  input.addEventListener("input", show);
  show();
  let playing = null;
  const stop = () => {
    clearTimeout(playing);
    playing = null;
    play.textContent = "Play";
  };
  const step = async () => {
    await show();
    if (Number(input.value) >= iterations.length - 1) { stop(); return; }
    playing = setTimeout(() => { input.value = Number(input.value) + 1; step(); }, 350);
  };
  play.addEventListener("click", () => {
    if (playing) { stop(); return; }
    if (Number(input.value) >= iterations.length - 1) input.value = 0;
    play.textContent = "Stop";
    step();
  });
}

function choices(problem) {
  const group = problem.querySelector(".curves");
  const chosen = (name) => group.querySelector(`input[name$="${name}"]:checked`)?.value;
  const show = () => {
    const figures = [...group.querySelectorAll(".choice")];
    const ofMetric = figures.filter((one) => one.dataset.metric === chosen("metric"));
    const shown = ofMetric.find((one) => one.dataset.scale === chosen("scale")) ?? ofMetric[0];
    figures.forEach((one) => { one.hidden = one !== shown; });
    return draw(shown.querySelector(".chart"));
  };
  group.addEventListener("change", show);
}

const problems = [...document.querySelectorAll(".problem")];
for (const problem of problems) {
  legend(problem);
  slider(problem);
  choices(problem);
}
for (const place of document.querySelectorAll(".chart")) {
  if (!place.closest("[hidden]")) await draw(place);
}
document.documentElement.dataset.drawn = "true";
