// Moves between the steps of the story in the browser: nothing is asked of the server until the story is left.

const VOTES = "solescope-story-votes";
const FORWARD = ["ArrowRight", "ArrowDown", "PageDown", " "];
const BACK = ["ArrowLeft", "ArrowUp", "PageUp"];
const EDGE = 0.14; // share of the width in which a tap turns the page
const SWIPE = 50; // pixels
const listening = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".story");
  const stage = root.querySelector(".steps");
  if (root.markup !== data.markup) {
    stage.innerHTML = data.markup;
    root.markup = data.markup;
  }
  listening.get(root)?.abort();
  const control = new AbortController();
  listening.set(root, control);
  const on = (target, event, act) => target.addEventListener(event, act, { signal: control.signal });

  const steps = [...stage.querySelectorAll(".step")];
  const button = (name) => root.querySelector(`[data-do="${name}"]`);
  const addressed = () => Number(new URL(location.href).searchParams.get("step")) || 1;
  const inside = (number) => Math.min(Math.max(Math.round(number), 1), steps.length);
  const isTold = () => new URL(location.href).searchParams.has("story");
  const visit = (query) => history.pushState({}, "", new URL(query, location.href));
  let current = 0;

  function show(number) {
    const before = current;
    current = inside(number);
    steps.forEach((step, place) => { step.hidden = place + 1 !== current; });
    root.querySelector(".place").textContent = `${current} / ${steps.length}`;
    button("back").disabled = current === 1;
    button("next").disabled = current === steps.length;
    if (before === current) return;
    steps[current - 1].scrollTop = 0;
    const title = steps[current - 1].querySelector("h1").textContent;
    root.querySelector(".live").textContent = `Step ${current} of ${steps.length}: ${title}`;
  }

  function go(number) {
    if (inside(number) === current) return;
    show(number);
    visit(`?story=1&step=${current}`);
    // A button that went away or is disabled would keep the keys.
    if (root.getRootNode().activeElement?.disabled !== false) root.focus();
  }

  function leave() {
    if (document.fullscreenElement) document.exitFullscreen();
    setTriggerValue("left", true);
    // Without a server the way out is a new page.
    setTimeout(() => { if (root.isConnected) location.assign(location.pathname); }, 4000);
  }

  function tellNotes(shown) {
    steps.forEach((step) => { step.querySelector(".notes").hidden = !shown; });
    button("notes").setAttribute("aria-pressed", shown);
  }
  const noted = () => button("notes").getAttribute("aria-pressed") === "true";

  function fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.().catch(() => {});
  }

  function votes() {
    try {
      const found = JSON.parse(sessionStorage.getItem(VOTES)) ?? {};
      return { A: Number(found.A) || 0, B: Number(found.B) || 0 };
    } catch { return { A: 0, B: 0 }; }
  }

  function count(given) {
    try { sessionStorage.setItem(VOTES, JSON.stringify(given)); } catch { /* private mode: they last until a reload */ }
    const total = given.A + given.B;
    stage.querySelector("[data-total]").textContent =
      total ? `${total} ${total === 1 ? "vote" : "votes"}` : "Tap once for each vote.";
    stage.querySelector("[data-clear]").hidden = !total;
    stage.querySelector("[data-room]").hidden = !total;
    for (const bar of stage.querySelectorAll("[data-votes]")) {
      const own = given[bar.dataset.votes];
      bar.querySelector("b").textContent = own;
      bar.querySelector("i").style.setProperty("--share", total ? own / total : 0);
    }
    root.votes = given;
  }

  const act = { back: () => go(current - 1), next: () => go(current + 1), notes: () => tellNotes(!noted()), fill, leave };
  for (const [name, run] of Object.entries(act)) button(name).onclick = run;
  for (const vote of stage.querySelectorAll("[data-vote]")) {
    vote.onclick = () => count({ ...root.votes, [vote.dataset.vote]: root.votes[vote.dataset.vote] + 1 });
  }
  stage.querySelector("[data-clear]").onclick = () => { count({ A: 0, B: 0 }); root.focus(); };

  on(document, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const pressed = event.composedPath()[0];
    if (event.key === " " && pressed instanceof HTMLButtonElement) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const run =
      FORWARD.includes(key) ? act.next : BACK.includes(key) ? act.back
      : { Home: () => go(1), End: () => go(steps.length), n: act.notes, f: fill,
          Escape: () => (noted() ? tellNotes(false) : leave()) }[key];
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  });

  // After a click with the mouse, Space is for the next step, not for the same button again.
  on(root, "click", (event) => { if (event.detail > 0 && event.target.closest("button")) root.focus(); });
  on(stage, "click", (event) => {
    if (event.target.closest("button, .notes")) return;
    const place = event.clientX / innerWidth;
    if (place > 1 - EDGE) act.next();
    if (place < EDGE) act.back();
  });
  let start = null;
  on(stage, "touchstart", (event) => {
    const finger = event.touches[0];
    start = event.touches.length === 1 ? [finger.clientX, finger.clientY] : null;
  });
  on(stage, "touchend", (event) => {
    if (!start) return;
    const finger = event.changedTouches[0];
    const [across, down] = [finger.clientX - start[0], finger.clientY - start[1]];
    start = null;
    if (Math.abs(across) > SWIPE && Math.abs(across) > 2 * Math.abs(down)) (across < 0 ? act.next : act.back)();
  });
  // Back may also lead out of the story; that is for the app.
  on(window, "popstate", () => { if (isTold()) show(addressed()); });

  button("fill").hidden = !document.fullscreenEnabled;
  count(root.votes ?? votes());
  // A link from the page at the same path leaves the address as it was.
  if (!isTold()) visit("?story=1");
  show(addressed());
  if (!root.contains(root.getRootNode().activeElement)) root.focus();
  return () => control.abort();
}
