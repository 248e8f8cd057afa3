"use strict";
// Asks every model of the chosen corpus about the texts, first for its answer, then for the words that moved it.
// Whatever comes from a person or a corpus becomes text content, never markup.
const PAUSE = 250; // milliseconds without a key before the models are asked
const MARKED = 0.01, STRONGEST = 0.3; // changes of a probability: from when there is a mark, and when it is strongest
const content = JSON.parse(document.getElementById("content").textContent);
const [said, legend, list] = ["said", "legend", "answers"].map((id) => document.getElementById(id));
const [compare, swap] = ["compare", "swap"].map((id) => document.getElementById(id));
const areas = [...document.querySelectorAll("textarea")];
let asking = new AbortController(), timer, written = areas[0];

function element(tag, properties = {}, ...inside) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...inside);
  return made;
}

const percent = (probability) => `${(100 * probability).toFixed(1)} %`;
const points = (change) => `${change < 0 ? "−" : "+"}${Math.abs(100 * change).toFixed(1)} points`;
const corpus = () => document.querySelector("[name=corpus]:checked").value;
const comparing = () => compare.ariaPressed === "true";
const highest = (values) => values.indexOf(Math.max(...values));
// The class that marks are about: the last of two, so that colours mean the same in every row, or the likeliest.
const about = ({ labels, probabilities }) => (labels.length === 2 ? 1 : highest(probabilities));

async function post(way, model, text, signal) {
  const body = JSON.stringify({ corpus: corpus(), model, text });
  const response = await fetch(way, { method: "POST", headers: { "Content-Type": "application/json" }, body, signal });
  const found = await response.json();
  if (response.ok) return found;
  throw Object.assign(new Error(found.error), { ofModel: response.status === 503 });
}

// A line for each class; of two, one for the likelier, with a bar in the colours of both.
function bars({ labels, probabilities }) {
  const likeliest = highest(probabilities), two = labels.length === 2;
  const part = (at) => {
    const made = element("div", { className: two && !at ? "away" : two || at === likeliest ? "towards" : "" });
    made.style.width = `${100 * probabilities[at]}%`;
    return made;
  };
  const line = (at) => element("div", { className: at === likeliest ? "class likeliest" : "class" },
    element("span", { textContent: labels[at] }), element("span", { textContent: percent(probabilities[at]) }),
    element("div", { className: "bar" }, ...(two ? [0, 1] : [at]).map(part)));
  return element("div", { className: "bars" }, ...(two ? [line(likeliest)] : labels.map((_, at) => line(at))));
}

function marked({ parts, effects }, answer) {
  const shown = parts.map((part, at) => {
    const change = effects[at][about(answer)];
    if (Math.abs(change) < MARKED) return part;
    const [, before, word, after] = /^(\s*)(.*?)(\s*)$/su.exec(part);
    const title = `${answer.labels[about(answer)]} ${points(change)}`;
    const mark = element("mark", { className: change > 0 ? "towards" : "away", title, textContent: word });
    mark.style.setProperty("--strength", Math.min(1, Math.abs(change) / STRONGEST));
    return element("span", {}, before, mark, after);
  });
  return element("p", { className: "marked" }, ...shown);
}

// One row a model, with a place for each text.
function rows(models, texts) {
  list.className = texts.length > 1 ? "two" : "";
  const made = models.map((model) => {
    const note = element("span", { className: "soft", textContent: "…" });
    const places = texts.map(() => element("div", { className: "place" }));
    const name = element("div", { className: "name" }, element("code", { textContent: model }), note);
    return { model, note, places, answers: [], row: element("li", {}, name, ...places) };
  });
  list.replaceChildren(...made.map(({ row }) => row));
  return made;
}

function difference({ answers }) {
  if (answers.length < 2) return "";
  const [first, second] = answers, at = 1;
  if (first.labels.length > 2)
    return `second text: ${highest(first.probabilities) === highest(second.probabilities) ? "same" : "another"} class`;
  return `second text: ${first.labels[at]} ${points(second.probabilities[at] - first.probabilities[at])}`;
}

function summary(made, texts, seconds) {
  const verdicts = texts.map((_, at) => {
    const votes = new Map();
    for (const { labels, probabilities } of made.flatMap(({ answers }) => answers[at] ?? [])) {
      const label = labels[highest(probabilities)];
      votes.set(label, (votes.get(label) ?? 0) + 1);
    }
    const said = [...votes].sort(([, one], [, other]) => other - one);
    return said.map(([label, count]) => `${count} ${count === 1 ? "says" : "say"} ${label}`).join(", ");
  });
  const [first, second] = verdicts.map((verdict) => verdict || "No model could answer");
  const verdict = second ? `First text: ${first}. Second text: ${second}` : first;
  return [verdict, element("small", { textContent: ` in ${seconds.toFixed(1)} s` })];
}

function explain(answer) {
  const [away, towards] = answer.labels.length === 2 ? answer.labels : ["", "the likeliest class"];
  const sample = (name, text) => {
    const mark = element("mark", { className: name, textContent: text });
    mark.style.setProperty("--strength", 0.6);
    return mark;
  };
  legend.replaceChildren("Words that moved a model ", sample("towards", `towards ${towards}`), " or ",
    sample("away", away ? `towards ${away}` : "away from it"), ":");
}

async function ask() {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking, started = performance.now();
  const texts = areas.slice(0, comparing() ? 2 : 1).map((area) => area.value);
  const long = texts.map((text) => [...text].length).find((length) => length > content.longest);
  legend.replaceChildren();
  list.replaceChildren();
  if (long) {
    said.textContent = `The text has ${long.toLocaleString("en")} characters; the models read at most ` +
      `${content.longest.toLocaleString("en")} here: shorten it.`;
    return;
  }
  if (!texts.every((text) => text.trim())) {
    said.textContent = comparing() ? "Write both texts." : "Write a text, or press an example.";
    return;
  }
  said.textContent = "Asking …";
  const made = rows(content.models[corpus()], texts);
  try {
    for (const each of made) await fill(each, texts, signal, show);
    said.replaceChildren(...summary(made, texts, (performance.now() - started) / 1000));
    for (const each of made) await fill(each, texts, signal, mark);
  } catch (error) {
    if (error.name === "AbortError") return; // other texts are asked about
    const ended = error instanceof TypeError; // as fetch has it where nobody listens
    said.textContent = ended ? "The demo does not answer: start `make demo` again." : error.message;
  }
}

async function fill(each, texts, signal, way) {
  try {
    for (const [at, text] of texts.entries()) await way(each, at, text, signal);
  } catch (error) {
    if (!error.ofModel) throw error;
    each.note.textContent = "";
    each.answers = [];
    each.places.forEach((place) => place.remove());
    each.row.append(element("p", { className: "fault", textContent: error.message }));
  }
}

async function show(each, at, text, signal) {
  each.answers[at] = await post("answer", each.model, text, signal);
  each.places[at].append(bars(each.answers[at]));
  each.note.textContent = difference(each);
  if (!legend.hasChildNodes()) explain(each.answers[at]);
}

async function mark(each, at, text, signal) {
  if (!each.answers[at]) return;
  const shown = marked(await post("marks", each.model, text, signal), each.answers[at]);
  each.places[at].append(shown);
  if (shown.scrollHeight > shown.clientHeight) shown.tabIndex = 0; // so that a keyboard can scroll it
}

function askSoon() {
  clearTimeout(timer);
  asking.abort();
  timer = setTimeout(ask, PAUSE);
}

function chooseCorpus() {
  const buttons = content.examples[corpus()].map((text) => {
    const button = element("button", { type: "button", textContent: text, title: text });
    button.addEventListener("click", () => { written.value = text; ask(); });
    return button;
  });
  document.getElementById("examples").replaceChildren(...buttons);
  ask();
}

for (const name of Object.keys(content.models)) {
  const choice = element("input", { type: "radio", name: "corpus", value: name });
  choice.checked = !document.querySelector("[name=corpus]:checked");
  choice.addEventListener("change", chooseCorpus);
  document.getElementById("corpora").append(element("label", {}, choice, ` ${name}`));
}
for (const area of areas) {
  area.addEventListener("input", askSoon);
  area.addEventListener("focus", () => { written = area; });
}
compare.addEventListener("click", () => {
  compare.ariaPressed = String(!comparing());
  areas[1].parentElement.hidden = swap.hidden = !comparing();
  areas[1].value ||= areas[0].value; // to change a word and see what it does
  written = areas[comparing() ? 1 : 0];
  written.focus();
  ask();
});
swap.addEventListener("click", () => {
  [areas[0].value, areas[1].value] = [areas[1].value, areas[0].value];
  ask();
});
areas[0].value ||= Object.values(content.examples)[0][0] ?? "";
chooseCorpus();
