// The page: what is shown, and what the buttons do.

import {openCamera, shoot, watch} from "./camera.js";
import {drawMap} from "./heat_map.js";
import {Model} from "./model.js";
import {badgeOf, confidenceOf, findingOf, percent, sentenceOf} from "./sentences.js";

const FEW = 3;
// A screen reader hears an answer to the camera once it has been the same for so long, in milliseconds.
const STEADY = 1200;
const TEXTS = {
  missing: "The model can't be loaded",
  missingMore: "A file of this page is missing or damaged, or the network is. Load the page again.",
  looking: "Looking…",
  aim: "Point the camera at a shoe.",
  unreadable: "This file isn't a photo that the browser can read",
  unreadableMore: "Choose a JPEG, PNG or WebP photo.",
  empty: "The file is empty",
  noCamera: "The camera isn't available",
};

const found = Object.fromEntries([...document.querySelectorAll("[id]")].map(element => [element.id, element]));
const WELCOME = [found.sentence.textContent, found.confidence.textContent];
const state = {page: null, stream: null, map: null, opened: false, question: 0, steady: 0};

export const model = new Model(share => {
  if (share === null) return showFailure(TEXTS.missing, TEXTS.missingMore);
  found.progress.value = share;
  found.progress.hidden = share === 1;
  if (share === 1) keepOffline();
});
const told = loadTexts();

async function loadTexts() {
  try {
    const [page, about] = await Promise.all(["page.json", "model.json"].map(async name => {
      const response = await fetch(name);
      if (!response.ok) throw new Error(name);
      return response.json();
    }));
    Object.assign(state, {page, preprocessing: about.preprocessing});
  } catch {
    showFailure(TEXTS.missing, TEXTS.missingMore);
  }
}

/** Store everything on the device. Browsers allow it over HTTPS and on the computer itself. */
async function keepOffline() {
  if (!navigator.serviceWorker) return;
  try {
    await navigator.serviceWorker.register("service-worker.js");
    await navigator.serviceWorker.ready;
    found.offline.hidden = false;
  } catch {
    found.offline.hidden = true;  // the page works, but needs its host each time
  }
}

// ---- What is shown ----

function write(status, badge, sentence, confidence) {
  document.body.dataset.status = status;
  found.badge.hidden = !badge;
  found.badge.textContent = badge;
  found.sentence.textContent = sentence;
  found.confidence.textContent = confidence;
}

function announce(text) {
  clearTimeout(state.steady);
  if (found.announcement.textContent !== text) found.announcement.textContent = text;
}

/** A message in place of an answer. */
function showFailure(sentence, more) {
  write("error", "", sentence, more);
  found.details.hidden = true;
  found.progress.hidden = true;
  announce(`${sentence}. ${more}`);
}

function showAnswer(answer) {
  const {page} = state, sentence = sentenceOf(answer, page), changed = found.sentence.textContent !== sentence;
  write(answer.status, badgeOf(answer, page), sentence, confidenceOf(answer, page));
  state.answer = answer;
  found.guesses.hidden = answer.status === "unknown";
  found.finding.textContent = findingOf(answer, page);
  drawBars();
  found.details.hidden = false;
  return changed;
}

function drawBars() {
  const {top} = state.answer, shown = top.slice(0, state.opened ? top.length : FEW);
  found.bars.replaceChildren(...shown.map(({label, probability}) => {
    const [row, name, share, track, bar] = ["li", "span", "span", "div", "div"].map(tag => document.createElement(tag));
    name.textContent = label;
    share.textContent = percent(probability);
    track.className = "track";
    bar.className = "bar";
    bar.style.width = `${Math.max(1, 100 * probability)}%`;
    track.append(bar);
    row.append(name, share, track);
    return row;
  }));
  found.more.hidden = top.length <= FEW;
  found.more.textContent = state.opened ? "Show fewer" : "Show more";
  found.more.setAttribute("aria-expanded", state.opened);
}

function drawHeat() {
  const isOn = found.look.checked && state.map !== null;
  found.heat.hidden = found["map-note"].hidden = !isOn;
  if (!isOn) return;
  drawMap(found.heat, state.map, state.page.heat_colors);
  const note = `Colored where the photo speaks for ${state.answer.top[0].label}.`;
  found["map-note"].textContent = note;
  found.heat.setAttribute("aria-label", note);
}

/** Show one of the welcome picture, the photo and the video, and nothing that belongs to another. */
function show(what) {
  document.body.dataset.state = what;
  found.welcome.toggleAttribute("hidden", what !== "empty");
  found.photo.hidden = what !== "photo";
  found.video.hidden = what !== "camera";
  found.box.hidden = true;
  found.looked.hidden = what !== "photo";
  state.map = null;
  drawHeat();
  found.close.disabled = what !== "camera";
  found.camera.setAttribute("aria-label", what === "camera" ? "Take the photo" : "Open the camera");
}

// ---- A photo ----

async function answerPhoto(file) {
  const question = ++state.question;
  stopCamera();
  URL.revokeObjectURL(found.photo.src);
  found.photo.src = URL.createObjectURL(file);
  show("photo");
  found.details.hidden = true;
  write("looking", "", TEXTS.looking, "");
  announce(TEXTS.looking);
  const [reply] = await Promise.all([model.photo(file), told]);
  if (question !== state.question) return;
  if (reply.failure) return refuse(reply.failure);
  showAnswer(reply.answer);
  state.map = reply.map;
  drawHeat();
  announce(`${found.sentence.textContent}. ${found.confidence.textContent}`);
}

function refuse(failure) {
  if (failure === "model") return showFailure(TEXTS.missing, TEXTS.missingMore);
  show("empty");
  showFailure(TEXTS[failure], TEXTS.unreadableMore);
}

// ---- The camera ----

async function startCamera() {
  const question = ++state.question;
  found.camera.disabled = true;
  try {
    await told;
    if (!state.page) return;
    const stream = await openCamera(state.page.camera);
    if (question !== state.question) return endStream(stream);
    state.stream = found.video.srcObject = stream;
    stream.getVideoTracks()[0].onended = () => state.stream === stream && closeCamera();
    show("camera");
    found.details.hidden = true;
    write("looking", "", TEXTS.looking, TEXTS.aim);
    await found.video.play().catch(() => {});  // closed meanwhile
  } catch (error) {
    return showFailure(TEXTS.noCamera, error.message);
  } finally {
    found.camera.disabled = false;  // not before the first picture: a photo taken of nothing would be lost
  }
  if (question !== state.question) return;
  const {stream} = state;
  await watch(found.video, state.preprocessing, () => state.stream === stream, lookAt(stream));
}

function lookAt(stream) {
  return async (bitmap, isFirst) => {
    const reply = await model.frame(bitmap, isFirst);
    if (state.stream !== stream) return;
    if (reply.failure) {
      closeCamera();
      return refuse("model");
    }
    if (showAnswer(reply.answer)) {
      clearTimeout(state.steady);
      state.steady = setTimeout(() => announce(found.sentence.textContent), STEADY);
    }
    drawBox(reply.box);
  };
}

function drawBox(box) {
  found.box.hidden = box === null;
  if (box === null) return;
  const [left, top, right, bottom] = box.map(edge => `${100 * edge}%`);
  Object.assign(found.box.style, {left, top, right: `calc(100% - ${right})`, bottom: `calc(100% - ${bottom})`});
}

const endStream = stream => stream?.getTracks().forEach(track => track.stop());

function stopCamera() {
  endStream(state.stream);
  state.stream = found.video.srcObject = null;
  clearTimeout(state.steady);
}

function closeCamera() {
  state.question++;
  stopCamera();
  show("empty");
  found.details.hidden = true;
  write("", "", ...WELCOME);
}

// ---- Buttons ----

found.photo.onload = () => found.photo.style.setProperty("--ratio", found.photo.naturalWidth / found.photo.naturalHeight);
found.file.onchange = () => {
  const [file] = found.file.files;
  found.file.value = "";  // so that the same file can be chosen again
  if (file) answerPhoto(file);
};
found.camera.onclick = async () => {
  if (!state.stream) return startCamera();
  if (found.video.videoWidth) answerPhoto(await shoot(found.video));
};
found.close.onclick = closeCamera;
found.look.onchange = drawHeat;
found.more.onclick = () => {
  state.opened = !state.opened;
  drawBars();
};
addEventListener("dragover", event => event.preventDefault());
addEventListener("drop", event => {
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  if (file) answerPhoto(file);
});
addEventListener("paste", event => {
  const [file] = event.clipboardData.files;
  if (file) answerPhoto(file);
});
