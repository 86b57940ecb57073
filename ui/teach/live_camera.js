// The camera of the Teach page. While it is on, each frame goes to the app's JSON API, about one a second, and the
// answer is written below the video. A shot goes to Python, which adds it to a sneaker's photos.

const FRAME_SIDE = 480, SHOT_SIDE = 1280, EVERY = 1000;
const TEXTS = {
  on: "Use the camera",
  off: "Turn the camera off",
  starting: "Starting the camera…",
  waiting: "Once the model is taught, it says here what it sees.",
  looking: "Looking…",
  noApi: "The model can't answer live here: the app was started without its API. Start it with “make app”.",
  lost: "The app doesn't answer. Trying again…",
};

// The app's address without the page: it may be served below a path.
const apiAddress = () => location.pathname.replace(/[^/]*\/?$/, "") + "api/predict";
// Until a video has a picture, its size is 0. The camera may also end before it gives one.
const firstPicture = video => new Promise(resolve => {
  if (video.videoWidth) return resolve();
  video.addEventListener("loadeddata", resolve, {once: true});
  video.srcObject.getVideoTracks()[0].addEventListener("ended", resolve, {once: true});
});
const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

class Camera {
  constructor(root) {
    this.video = root.querySelector("video");
    this.stage = root.querySelector(".stage");
    this.verdict = root.querySelector(".verdict");
    this.sentence = root.querySelector(".sentence");
    this.guesses = root.querySelector(".guesses");
    this.note = root.querySelector(".note");
    this.buttons = root.querySelector(".buttons");
    this.power = root.querySelector(".power");
    this.power.onclick = () => (this.stream ? this.stop() : this.start());
    this.stream = null;
  }

  update(data, send) {
    this.send = send;
    this.rule = data.rule;
    this.errors = data.errors;
    this.busy = data.busy;
    if (data.model !== this.model) this.write(data.model ? TEXTS.looking : TEXTS.waiting, []);
    this.model = data.model;
    this.buttons.querySelectorAll(".shoot").forEach(button => button.remove());
    for (const shot of data.shots) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "shoot";
      button.textContent = shot.label;
      button.onclick = () => this.shoot(shot.tray);
      this.buttons.insertBefore(button, this.power);
    }
    this.show();
  }

  show(note = "") {
    const on = this.stream !== null;
    this.stage.hidden = !on;
    this.verdict.hidden = !on;
    this.power.textContent = on ? TEXTS.off : TEXTS.on;
    this.buttons.querySelectorAll(".shoot").forEach(button => (button.hidden = !on));
    this.note.textContent = note;
    this.note.hidden = !note;
  }

  async start() {
    if (!navigator.mediaDevices?.getUserMedia) return this.show(this.rule);
    this.show(TEXTS.starting);
    this.power.disabled = true;  // pressed twice, it would open two cameras
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({video: {facingMode: {ideal: "environment"}}, audio: false});
      this.video.srcObject = stream;
      await firstPicture(this.video);  // a shot before it would be lost
    } catch (error) {
      return this.show(this.errors[error.name] ?? this.busy);
    } finally {
      this.power.disabled = false;
    }
    if (this.isGone) return stream.getTracks().forEach(track => track.stop());
    if (!this.video.videoWidth) return this.show(this.busy);
    this.stream = stream;
    stream.getVideoTracks()[0].onended = () => this.stop();
    this.show();
    this.watch(stream);
  }

  stop() {
    this.video.srcObject?.getTracks().forEach(track => track.stop());  // it may be on, but have no picture yet
    this.stream = this.video.srcObject = null;
    this.show();
  }

  async frame(side) {
    const {videoWidth: width, videoHeight: height} = this.video;
    if (!width) return null;
    const scale = Math.min(1, side / Math.max(width, height));
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    canvas.getContext("2d").drawImage(this.video, 0, 0, canvas.width, canvas.height);
    return new Promise(resolve => canvas.toBlob(resolve, "image/jpeg", 0.9));
  }

  async shoot(tray) {
    const photo = await this.frame(SHOT_SIDE);
    if (!photo) return;
    const reader = new FileReader();
    reader.onload = () => this.send("shot", {tray, photo: reader.result.split(",")[1]});
    reader.readAsDataURL(photo);
  }

  async watch(stream) {
    while (this.stream === stream) {
      const next = pause(EVERY);
      if (this.model && document.visibilityState === "visible") await this.look(stream);
      await next;
    }
  }

  async look(stream) {
    const [model, photo] = [this.model, await this.frame(FRAME_SIDE)];
    if (!photo) return;
    const body = new FormData();
    body.append("file", photo, "camera.jpg");
    let answer = null, text = "";
    try {
      const reply = await fetch(`${apiAddress()}?top=3&model=${encodeURIComponent(model)}`, {method: "POST", body});
      if (!reply.headers.get("content-type")?.startsWith("application/json")) text = TEXTS.noApi;
      else if (reply.status === 429) return;  // busy: the next frame comes in a second
      else answer = await reply.json();
    } catch {
      text = TEXTS.lost;
    }
    if (this.stream !== stream || this.model !== model) return;
    if (answer) this.write(answer.sentence ?? answer.error, answer.status === "unknown" ? [] : answer.top ?? []);
    else this.write(text, []);
  }

  write(sentence, guesses) {
    // A screen reader reads it again only if it has changed.
    if (this.sentence.textContent !== sentence) this.sentence.textContent = sentence;
    this.guesses.replaceChildren(...guesses.map(({label, probability}) => {
      const [row, name, track, bar] = ["li", "span", "div", "div"].map(tag => document.createElement(tag));
      name.textContent = label;
      track.className = "track";
      bar.className = "bar";
      bar.style.width = `${Math.max(1, 100 * probability)}%`;
      track.append(bar);
      row.append(name, track);
      return row;
    }));
  }
}

const cameras = new WeakMap();

export default function (component) {
  const {data, parentElement, setTriggerValue} = component;
  if (!cameras.has(parentElement)) cameras.set(parentElement, new Camera(parentElement));
  const camera = cameras.get(parentElement);
  camera.update(data, setTriggerValue);
  return () => {
    camera.isGone = true;
    camera.stop();
    cameras.delete(parentElement);
  };
}
