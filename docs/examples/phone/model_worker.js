// The model, in a thread of its own so that the page stays responsive. Messages in: {id, kind, …}; out: {id, …}, and
// {progress} while the model loads.

import * as ort from "./ort.wasm.min.mjs";
import {answerOf} from "./decision.js";
import {classMap, occlusionMap} from "./heat_map.js";
import {LiveOutputs} from "./live.js";
import {decode, modelInput, PhotoError} from "./preprocess.js";

const here = name => new URL(name, import.meta.url).href;

ort.env.wasm.wasmPaths = {mjs: here("ort-wasm-simd-threaded.mjs"), wasm: here("ort-wasm-simd-threaded.wasm")};
// Several threads need headers that many web hosts can't send; one is fast enough.
ort.env.wasm.numThreads = 1;

let live = new LiveOutputs();
const loading = load();
loading.catch(() => postMessage({progress: null}));

async function load() {
  const [model, page] = await Promise.all(["model.json", "page.json"].map(async name => (await got(name)).json()));
  const bytes = await withProgress(await got("model.onnx"), page.model_bytes);
  const session = await ort.InferenceSession.create(bytes, {executionProviders: ["wasm"]});
  postMessage({progress: 1});
  return {model, page, session};
}

async function got(name) {
  const response = await fetch(here(name));
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response;
}

async function withProgress(response, size) {
  const bytes = new Uint8Array(size), reader = response.body.getReader();
  let received = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (received + part.value.length > size) throw new Error("model.onnx is longer than page.json says");
    bytes.set(part.value, received);
    received += part.value.length;
    postMessage({progress: Math.min(0.99, received / size)});
  }
  if (received !== size) throw new Error("model.onnx is shorter than page.json says");
  return bytes;
}

/** Outputs by name, as tensors of a batch. */
function run({session, model}, input, count = 1) {
  const {height, width} = model.preprocessing;
  return session.run({photos: new ort.Tensor("float32", input, [count, 3, height, width])});
}

/** The small outputs of one photo. */
function plain(tensors) {
  const names = ["logits", "rejected_logits", "probabilities", "ood_score"].filter(name => tensors[name]);
  return Object.fromEntries(names.map(name => [name, Float32Array.from(tensors[name].data)]));
}

/** The answer to a photo file, and the evidence for its best guess. */
async function photo({file}) {
  const {bitmap, isJpeg} = await decode(file);
  const loaded = await loading, {model, page} = loaded, started = performance.now();
  const input = modelInput(bitmap, {...model.preprocessing, shrink_to: page.rules.shrink_to}, isJpeg);
  bitmap.close();
  const tensors = await run(loaded, input), outputs = plain(tensors), answer = answerOf(outputs, model, page);
  const milliseconds = performance.now() - started, number = model.classes.indexOf(answer.top[0].label);
  const map = tensors.class_maps
    ? classMap(tensors.class_maps, number)
    : await occlusionMap(logitsOf(loaded), input, model.preprocessing, number, outputs.logits[number]);
  return {answer, map, milliseconds};
}

function logitsOf(loaded) {
  return async (batch, count) => {
    const {logits} = await run(loaded, batch, count), size = logits.dims[1];
    return Array.from({length: count}, (_, at) => logits.data.subarray(at * size, (at + 1) * size));
  };
}

/** The answer to a frame of the camera, smoothed over those before it. */
async function frame({bitmap, isFirst}) {
  const loaded = await loading, {model, page} = loaded, {preprocessing} = model;
  if (isFirst) live = new LiveOutputs();
  const input = modelInput(bitmap, preprocessing, false);
  bitmap.close();
  const tensors = await run(loaded, input);
  const {outputs, box} = live.add(plain(tensors), tensors.class_maps, input, preprocessing);
  const answer = answerOf(outputs, model, page);
  return {answer, box: answer.status === "unknown" ? null : box};
}

const KINDS = {photo, frame};

onmessage = async ({data}) => {
  try {
    postMessage({id: data.id, ...(await KINDS[data.kind](data))});
  } catch (error) {
    const isPhoto = error instanceof PhotoError;
    postMessage({id: data.id, failure: isPhoto ? error.message : "model", detail: String(error)});
  }
};
