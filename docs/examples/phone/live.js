// Answers to a stream of pictures: the outputs are smoothed over frames, so that the answer and the box don't flicker.

import {blendedMap, boxOf} from "./heat_map.js";

// How much a new frame counts against those before.
const NEW = 0.35, NEW_BOX = 0.45;
// From this mean difference of brightness on, 0 to 1, the picture is another one, and nothing before it counts.
const OTHER_PICTURE = 0.12;
// The brightness is compared on a grid of this many cells a side.
const CELLS = 10;
const SMOOTHED = ["logits", "rejected_logits", "probabilities", "ood_score"];

export class LiveOutputs {
  constructor() {
    this.outputs = this.box = this.sketch = null;
  }

  /**
   * Take in the outputs for the next frame.
   *
   * @returns {{outputs: Object<string, Float32Array>, box: ?number[]}} Smoothed.
   */
  add(outputs, maps, input, {height, width}) {
    const sketch = sketchOf(input, height, width);
    if (this.sketch === null || difference(sketch, this.sketch) > OTHER_PICTURE) this.outputs = this.box = null;
    this.sketch = sketch;
    this.outputs = this.outputs === null ? outputs : smoothed(this.outputs, outputs);
    const box = maps ? boxOf(blendedMap(maps, this.outputs.probabilities)) : null;
    this.box = box && this.box ? blend(this.box, box, NEW_BOX) : box;
    return {outputs: this.outputs, box: this.box};
  }
}

function smoothed(before, now) {
  const result = {...now};
  for (const name of SMOOTHED) if (now[name]) result[name] = blend(before[name], now[name], NEW);
  return result;
}

const blend = (before, now, share) => now.map((value, place) => share * value + (1 - share) * before[place]);

/** The brightness of an input (3, height, width) in a few cells. */
function sketchOf(input, height, width) {
  const cells = new Float32Array(CELLS * CELLS), counts = new Float32Array(CELLS * CELLS);
  for (let row = 0; row < height; row += 2) {
    for (let column = 0; column < width; column += 2) {
      const cell = Math.floor((row * CELLS) / height) * CELLS + Math.floor((column * CELLS) / width);
      cells[cell] += input[(height + row) * width + column];  // green carries most of the brightness
      counts[cell]++;
    }
  }
  return cells.map((sum, cell) => sum / counts[cell]);
}

const difference = (one, other) => one.reduce((sum, value, cell) => sum + Math.abs(value - other[cell]), 0) / one.length;
