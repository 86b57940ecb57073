// Where the model looked: maps of evidence, as colors over the photo and as a box around the shoe.

// Occlusion: the photo's input is covered by squares of this share of its side, on a grid of this many steps.
const SQUARE = 0.2, STEPS = 9, BATCH = 9;
// The box holds what reaches this share of the strongest evidence, on a grid of this many cells a side.
const IN_BOX = 0.25, CELLS = 28;

/** The evidence for one class: its class activation. `class_maps` are (classes, height, width). */
export function classMap(maps, number) {
  const [, , height, width] = maps.dims, size = height * width;
  return {values: Float32Array.from(maps.data.subarray(number * size, (number + 1) * size)), height, width};
}

/** The evidence for all classes, each as much as it is probable. */
export function blendedMap(maps, chances) {
  const [, , height, width] = maps.dims, size = height * width, values = new Float32Array(size);
  chances.forEach((chance, number) => {
    for (let place = 0; place < size; place++) values[place] += chance * maps.data[number * size + place];
  });
  return {values, height, width};
}

/**
 * The evidence for a class by occlusion, for models without class maps: how much covering each place lowers its logit.
 *
 * @param {function(Float32Array, number): Promise<Float32Array[]>} logitsOf Runs a batch of inputs.
 */
export async function occlusionMap(logitsOf, input, {height, width}, number, plain) {
  const values = new Float32Array(STEPS * STEPS), size = 3 * height * width;
  for (let first = 0; first < values.length; first += BATCH) {
    const count = Math.min(BATCH, values.length - first), batch = new Float32Array(count * size);
    for (let at = 0; at < count; at++) {
      batch.set(input, at * size);
      cover(batch.subarray(at * size, (at + 1) * size), height, width, first + at);
    }
    (await logitsOf(batch, count)).forEach((logits, at) => (values[first + at] = plain - logits[number]));
  }
  return {values, height: STEPS, width: STEPS};
}

/** Cover one square of an input with middle gray. */
function cover(input, height, width, step) {
  const side = [height, width].map(length => Math.round(length * SQUARE));
  const place = [Math.floor(step / STEPS), step % STEPS];
  const [top, left] = place.map((at, axis) => Math.round((([height, width][axis] - side[axis]) * at) / (STEPS - 1)));
  for (let channel = 0; channel < 3; channel++) {
    for (let row = top; row < top + side[0]; row++) {
      const start = (channel * height + row) * width + left;
      input.fill(0.5, start, start + side[1]);
    }
  }
}

/** A map at another size, 0 to 1: what speaks against the class counts as nothing. */
function scaled({values, height, width}, rows, columns) {
  const strongest = Math.max(...values, 1e-9), large = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const [top, bottom, down] = between(row, rows, height);
    for (let column = 0; column < columns; column++) {
      const [left, right, across] = between(column, columns, width);
      const at = (y, x) => Math.max(0, values[y * width + x]);
      const upper = at(top, left) * (1 - across) + at(top, right) * across;
      const lower = at(bottom, left) * (1 - across) + at(bottom, right) * across;
      large[row * columns + column] = (upper * (1 - down) + lower * down) / strongest;
    }
  }
  return large;
}

/** The two cells around a place, and how far it is from the first to the second. */
function between(place, to, from) {
  const exact = Math.min(Math.max(((place + 0.5) * from) / to - 0.5, 0), from - 1), low = Math.floor(exact);
  return [low, Math.min(low + 1, from - 1), exact - low];
}

/**
 * Draw a map on a canvas that lies over the photo.
 *
 * @param {number[][]} colors RGBA for 256 levels, from page.json: the app's colors.
 */
export function drawMap(canvas, map, colors) {
  const {width, height} = canvas, large = scaled(map, height, width);
  const picture = new ImageData(width, height);
  large.forEach((share, place) => picture.data.set(colors[Math.round(255 * Math.min(1, share))], 4 * place));
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

/** The box around the largest area of strong evidence: left, top, right and bottom, 0 to 1; null without evidence. */
export function boxOf(map) {
  if (Math.max(...map.values) <= 0) return null;
  const large = scaled(map, CELLS, CELLS), seen = new Uint8Array(large.length);
  let largest = [];
  for (let start = 0; start < large.length; start++) {
    const area = areaFrom(start, large, seen);
    if (area.length > largest.length) largest = area;
  }
  const rows = largest.map(cell => Math.floor(cell / CELLS)), columns = largest.map(cell => cell % CELLS);
  const [left, top] = [Math.min(...columns), Math.min(...rows)];
  return [left, top, Math.max(...columns) + 1, Math.max(...rows) + 1].map(edge => edge / CELLS);
}

/** The cells of strong evidence that are connected with a cell. */
function areaFrom(start, large, seen) {
  const area = [], open = [start];
  while (open.length) {
    const cell = open.pop();
    if (seen[cell] || large[cell] < IN_BOX) continue;
    seen[cell] = 1;
    area.push(cell);
    const column = cell % CELLS;
    if (column > 0) open.push(cell - 1);
    if (column < CELLS - 1) open.push(cell + 1);
    if (cell >= CELLS) open.push(cell - CELLS);
    if (cell < CELLS * (CELLS - 1)) open.push(cell + CELLS);
  }
  return area;
}
