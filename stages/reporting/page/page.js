"use strict";
// What the page does: tabs, charts, fading all but one name, sorting, filters, and one column of a matrix.
const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const specs = JSON.parse(document.getElementById("charts").textContent);
const views = new Map(), widths = new Map(); // of the elements whose charts are drawn

// Charts: as wide as their place, of those shown now, one after the other from the top.
async function draw(element) {
  const spec = structuredClone(specs[element.dataset.chart]), width = element.clientWidth;
  widths.set(element, width);
  if (spec.facet) {
    spec.columns = Math.max(2, Math.floor(width / 190));
    spec.spec.width = Math.floor((width - 50) / spec.columns) - 22;
  } else Object.assign(spec, { width, autosize: { type: "fit-x", contains: "padding" } });
  views.get(element)?.finalize();
  const options = { actions: false, renderer: "svg", defaultStyle: false, tooltip: { disableDefaultStyle: true } };
  options.ast = true; // the page's policy lets no text become code
  const { view } = await vegaEmbed(element, spec, options);
  view.addEventListener("mouseover", (_, item) => point(element, item?.datum?.name ?? ""));
  view.addEventListener("mouseout", () => point(element, ""));
  views.set(element, view);
  fade(element.closest("section"));
}

async function drawAll() {
  for (const element of all(".chart"))
    if (element.clientWidth && element.clientWidth !== widths.get(element)) await draw(element);
}

let drawing = Promise.resolve();
const drawShown = () => { drawing = drawing.then(drawAll); };

// A name of a section is picked while it is pointed at, or after its button was pressed.
const pointed = new Map(), pressed = new Map();

function fade(section) {
  const name = pointed.get(section) || pressed.get(section) || "";
  for (const [element, view] of views) if (section.contains(element)) view.signal("picked", name).runAsync();
  for (const element of all("tr[data-name], .confusion", section))
    element.classList.toggle("picked", element.dataset.name === name);
}

function point(element, name) {
  const section = element.closest("section");
  if (pointed.get(section) === name) return;
  pointed.set(section, name);
  fade(section);
}

function press(button) {
  const section = button.closest("section"), name = button.dataset.name;
  pressed.set(section, pressed.get(section) === name ? "" : name);
  for (const each of all(".legend button", section))
    each.ariaPressed = String(each.dataset.name === pressed.get(section));
  fade(section);
}

for (const element of all(".legend button, tbody tr[data-name]")) {
  element.addEventListener("pointerenter", () => point(element, element.dataset.name));
  element.addEventListener("pointerleave", () => point(element, ""));
}
for (const button of all(".legend button")) {
  button.addEventListener("click", () => press(button));
  button.addEventListener("focus", () => point(button, button.dataset.name));
  button.addEventListener("blur", () => point(button, ""));
}

// Tabs: https://www.w3.org/WAI/ARIA/apg/patterns/tabs/
const tabs = all("[role=tab]");

function show(tab) {
  for (const each of tabs) {
    each.ariaSelected = String(each === tab);
    each.tabIndex = each === tab ? 0 : -1;
    document.getElementById(each.getAttribute("aria-controls")).hidden = each !== tab;
  }
  drawShown();
}

function follow() { // a link may lead into a corpus that is not shown
  const target = document.getElementById(location.hash.slice(1));
  const panel = target?.closest("[role=tabpanel]");
  if (panel) show(tabs.find(tab => tab.getAttribute("aria-controls") === panel.id));
  target?.scrollIntoView();
}

for (const [number, tab] of tabs.entries()) {
  tab.addEventListener("click", event => {
    event.preventDefault();
    history.replaceState(null, "", tab.hash);
    show(tab);
  });
  tab.addEventListener("keydown", event => {
    const to = { ArrowRight: number + 1, ArrowLeft: number - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined && event.key !== " ") return;
    event.preventDefault();
    const next = event.key === " " ? tab : tabs.at(to % tabs.length);
    next.focus();
    next.click();
  });
}
addEventListener("hashchange", follow);

// Sorting: figures from the largest, texts from A; a second click turns it round.
const value = cell => cell.dataset.value ?? cell.textContent.trim();
const number = text => (text === "" ? NaN : Number(text.replaceAll(",", "")));

function sort(heading) {
  const column = heading.cellIndex, body = heading.closest("table").tBodies[0], rows = [...body.rows];
  const figures = rows.every(row => !Number.isNaN(number(value(row.cells[column]))));
  const down = heading.ariaSort ? heading.ariaSort === "ascending" : figures;
  const compare = (a, b) => figures ? number(a) - number(b) : a.localeCompare(b, "en", { numeric: true });
  rows.sort((a, b) => (down ? -1 : 1) * compare(value(a.cells[column]), value(b.cells[column])));
  body.append(...rows);
  for (const each of all("th", heading.parentElement)) each.ariaSort = null;
  heading.ariaSort = down ? "descending" : "ascending";
}

for (const heading of all(".sorts thead th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener("click", () => sort(heading));
}

// Filters: what is of the chosen name and has the words, wherever they are in it.
for (const form of all("form.filter")) {
  const chosen = form.querySelector("select"), words = form.querySelector("input");
  const filter = () => {
    const entries = all("[data-of]", document.getElementById(form.dataset.list));
    const sought = (words?.value ?? "").trim().toLowerCase();
    for (const entry of entries) {
      const named = !chosen.value || entry.dataset.of.split("|").includes(chosen.value);
      entry.hidden = !named || !entry.textContent.toLowerCase().includes(sought);
    }
    form.querySelector("output").textContent = `${entries.filter(entry => !entry.hidden).length} of ${entries.length}`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", event => event.preventDefault());
  filter();
}

// On a narrow screen a matrix shows one column.
for (const select of all("select[data-column]")) {
  const table = document.getElementById(select.dataset.column);
  table.classList.add("chosen");
  const choose = () => {
    const column = select.selectedIndex + 1;
    for (const cell of all("th, td", table)) cell.classList.toggle("shown", cell.cellIndex === column);
  };
  select.addEventListener("input", choose);
  choose();
}

let waiting = 0;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(drawShown, 200);
});
show(tabs[0]);
follow();
