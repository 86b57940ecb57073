// Asks a SoleScope server what photos show. Everything that it needs of the API is in `ask`, `predict` and `explain`.

const USUAL_ADDRESS = "http://localhost:8501";
const KEPT = "solescope-api";
const $ = id => document.getElementById(id);

// --- the API --------------------------------------------------------------------------------------------------------

/** An error with a sentence for people. */
class Problem extends Error {}

async function ask(path, options) {
  let reply;
  try {
    reply = await fetch(`${address()}/api/${path}`, options);
  } catch {
    // A browser doesn't tell a page why: the server is away, or it doesn't let this page in.
    throw new Problem(
      `No answer from ${address()}. Either SoleScope isn't running there, or it doesn't let this page in. ` +
      `Start it with SOLESCOPE_API_ORIGINS=${location.origin} to let it in.`
    );
  }
  if (reply.ok) return reply;
  const said = await reply.json().catch(() => ({}));
  if (said.status === "error") return new Response(JSON.stringify(said));  // a photo that can't be read is an answer
  if (reply.status === 401) throw new Problem("This SoleScope has a password, which this page can't send.");
  throw new Problem(said.error ?? `The server answered with status ${reply.status}. Is it a SoleScope?`);
}

async function predict(photo, model) {
  const body = new FormData();
  body.append("file", photo, photo.name);
  const reply = await ask(`predict?${new URLSearchParams({model, top: 3})}`, {method: "POST", body});
  return reply.json();
}

async function explain(photo, model, target) {
  const body = new FormData();
  body.append("file", photo, photo.name);
  const reply = await ask(`explain?${new URLSearchParams({model, target})}`, {method: "POST", body});
  return reply.blob();
}

// --- the connection -------------------------------------------------------------------------------------------------

const address = () => $("address").value.trim().replace(/\/+$/, "");
const kept = () => { try { return localStorage.getItem(KEPT); } catch { return null; } };
const keep = value => { try { localStorage.setItem(KEPT, value); } catch { /* the browser keeps nothing */ } };

async function connect() {
  say("Connecting…");
  try {
    const reply = await ask("models");
    const models = (await reply.json()).filter(model => !model.problem);
    const chosen = $("model").value;
    $("model").replaceChildren(...models.map(model => new Option(`${model.name}, ${model.classes.length} sneakers`, model.name)));
    if (models.some(model => model.name === chosen)) $("model").value = chosen;
    $("model").disabled = false;
    keep(address());
    say("Connected.");
  } catch (problem) {
    $("model").replaceChildren(new Option("Not connected", ""));
    $("model").disabled = true;
    complain(problem);
  }
}

function say(text) {
  $("state").className = "";
  $("state").textContent = text;
}

function sentence(problem) {
  if (problem instanceof Problem) return problem.message;
  console.error(problem);
  return "Something went wrong on this page. Reload it.";
}

function complain(problem) {
  $("state").className = "problem";
  $("state").textContent = sentence(problem);
}

// --- answers --------------------------------------------------------------------------------------------------------

function element(tag, className = "", ...inside) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...inside);
  return made;
}

const percent = share => (share > 0 && share < 0.01 ? "<1%" : share < 1 && share > 0.99 ? ">99%" : `${Math.round(100 * share)}%`);

function bars(guesses) {
  return element("ul", "bars", ...guesses.map(({label, probability}) => {
    const bar = element("div", "bar");
    bar.style.width = `${100 * probability}%`;
    return element("li", "", element("span", "", label), element("span", "", percent(probability)), element("div", "track", bar));
  }));
}

/** What is told beside the sentence: the group of an unsure answer, or what an unknown shoe looks most like. */
function beside(answer) {
  if (answer.group) return `The probability of any ${answer.group.name} is ${percent(answer.group.probability)}.`;
  if (answer.look_alikes.length) return `Of the sneakers that the model knows, it looks most like ${answer.look_alikes.join(", ")}.`;
  return "";
}

function card(photo) {
  const picture = element("img"), text = element("div", "", element("p", "quiet", "Looking…"));
  picture.src = URL.createObjectURL(photo);
  picture.alt = `Your photo ${photo.name}`;
  picture.onerror = () => picture.remove();  // the browser doesn't know the format; the server may
  const figure = element("figure", "", picture, element("figcaption", "", photo.name));
  const made = element("article", "", figure, text);
  return {made, picture, text};
}

function write({picture, text}, photo, model, answer) {
  if (answer.status === "error") return text.replaceChildren(element("p", "problem", answer.error));
  const note = beside(answer), unknown = answer.status === "unknown";
  text.replaceChildren(element("h2", "", `${answer.sentence}.`));
  if (note) text.append(element("p", "quiet", note));
  if (unknown) return undefined;
  const why = element("button", "", "Show why");
  why.type = "button";
  why.onclick = async () => {
    why.disabled = true;
    try {
      const target = answer.top[0].label;
      picture.src = URL.createObjectURL(await explain(photo, model, target));
      picture.alt = `Your photo ${photo.name}, with the areas marked that speak for ${target}`;
      why.replaceWith(element("p", "quiet", `Marked areas speak for ${target}.`));
    } catch (problem) {
      why.disabled = false;
      complain(problem);
    }
  };
  text.append(bars(answer.top), why);
  return undefined;
}

async function look(photos) {
  const images = [...photos];
  if (!images.length) return;
  if ($("model").disabled) await connect();
  if ($("model").disabled) return;
  const model = $("model").value;
  const cards = images.map(card);
  $("answers").replaceChildren(...cards.map(({made}) => made));
  for (const [place, photo] of images.entries()) {
    try {
      write(cards[place], photo, model, await predict(photo, model));
    } catch (problem) {
      cards[place].text.replaceChildren(element("p", "problem", sentence(problem)));
    }
  }
}

// --- the page -------------------------------------------------------------------------------------------------------

for (const id of ["files", "camera"]) {
  $(id).onchange = event => {
    look(event.target.files);
    event.target.value = "";  // so that the same photo can be chosen again
  };
}
addEventListener("dragover", event => { event.preventDefault(); $("drop").classList.add("over"); });
addEventListener("dragleave", event => { if (!event.relatedTarget) $("drop").classList.remove("over"); });
addEventListener("drop", event => {
  event.preventDefault();
  $("drop").classList.remove("over");
  look(event.dataTransfer.files);
});
$("connection").onsubmit = event => { event.preventDefault(); connect(); };
$("address").value = kept() ?? USUAL_ADDRESS;
connect();
