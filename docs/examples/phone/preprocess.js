// From a photo to the model's input: decoded, upright, over white, and resized as the model's training resized it.
//
// Python's photos go through Pillow, so this follows Pillow to the last bit: a bicubic filter with antialiasing, first
// along the rows and then along the columns, each rounded to 8 bits. What remains different is the browser's decoder.

// Rows that are read at once, so that a photo of 50 megapixels needs no canvas of its size.
const STRIP = 256;
// Fractional bits of a filter's weights, as in Pillow's Resample.c.
const PRECISION = 22;
// Pillow's decoder can make a JPEG smaller by these factors while it reads it.
const JPEG_FACTORS = [8, 4, 2];

export class PhotoError extends Error {}

/**
 * Decode a photo file. The browser turns it upright; color profiles are dropped, as in Python.
 *
 * @param {Blob} file
 * @returns {Promise<{bitmap: ImageBitmap, isJpeg: boolean}>}
 */
export async function decode(file) {
  const start = new Uint8Array(await file.slice(0, 3).arrayBuffer());
  const isJpeg = start[0] === 0xff && start[1] === 0xd8 && start[2] === 0xff;
  try {
    const options = {imageOrientation: "from-image", colorSpaceConversion: "none"};
    return {bitmap: await createImageBitmap(file, options), isJpeg};
  } catch {
    throw new PhotoError(file.size ? "unreadable" : "empty");
  }
}

/**
 * The model's input for a picture: float32, (3, height, width), 0 to 1.
 *
 * @param {ImageBitmap} bitmap
 * @param {{height: number, width: number, shrink_to: number}} preprocessing
 * @param {boolean} isJpeg Whether Pillow would decode it at a fraction of its size.
 */
export function modelInput(bitmap, preprocessing, isJpeg) {
  const {height, width} = preprocessing;
  const factor = isJpeg ? jpegFactor(bitmap, preprocessing.shrink_to) : 1;
  const pixels = resized(bitmap, width, height, factor);
  const input = new Float32Array(3 * height * width);
  for (let place = 0; place < height * width; place++) {
    for (let channel = 0; channel < 3; channel++) {
      input[channel * height * width + place] = pixels[3 * place + channel] / 255;
    }
  }
  return input;
}

function jpegFactor({width, height}, smallest) {
  const most = Math.min(Math.floor(width / smallest), Math.floor(height / smallest));
  return JPEG_FACTORS.find(factor => factor <= most) ?? 1;
}

/** RGB pixels at a size: uint8, (height, width, 3). */
function resized(bitmap, width, height, factor) {
  const fullWidth = Math.ceil(bitmap.width / factor), fullHeight = Math.ceil(bitmap.height / factor);
  const across = weightsOf(fullWidth, width), down = weightsOf(fullHeight, height);
  const narrow = new Uint8Array(fullHeight * width * 3);
  for (let top = 0; top < fullHeight; top += STRIP) {
    const rows = Math.min(STRIP, fullHeight - top);
    const strip = shrunk(readRows(bitmap, top * factor, rows * factor), bitmap.width, factor, fullWidth, rows);
    for (let row = 0; row < rows; row++) {
      blend(strip, row * fullWidth * 3, 3, across, narrow, (top + row) * width * 3, 3);
    }
  }
  const pixels = new Uint8Array(height * width * 3);
  for (let column = 0; column < width; column++) blend(narrow, column * 3, width * 3, down, pixels, column * 3, width * 3);
  return pixels;
}

/** Some rows of a picture over white: uint8, (rows, width, 3); past the end, the last row is repeated. */
function readRows(bitmap, top, rows) {
  const inside = Math.min(rows, bitmap.height - top), {width} = bitmap;
  const canvas = new OffscreenCanvas(width, inside);
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, inside);
  context.drawImage(bitmap, 0, top, width, inside, 0, 0, width, inside);
  const read = context.getImageData(0, 0, width, inside).data, rgb = new Uint8Array(rows * width * 3);
  for (let row = 0; row < rows; row++) {
    let from = Math.min(row, inside - 1) * width * 4, to = row * width * 3;
    for (let column = 0; column < width; column++, from += 4, to += 3) {
      rgb[to] = read[from];
      rgb[to + 1] = read[from + 1];
      rgb[to + 2] = read[from + 2];
    }
  }
  return rgb;
}

/** Each square of factor x factor pixels as one: about what a JPEG decoder does when it reads a photo smaller. */
function shrunk(rgb, fromWidth, factor, width, rows) {
  if (factor === 1) return rgb;
  const small = new Uint8Array(rows * width * 3), count = factor * factor;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < width; column++) {
      const sums = [0, 0, 0];
      for (let y = row * factor; y < (row + 1) * factor; y++) {
        for (let x = column * factor; x < (column + 1) * factor; x++) {
          const from = (y * fromWidth + Math.min(x, fromWidth - 1)) * 3;
          sums[0] += rgb[from];
          sums[1] += rgb[from + 1];
          sums[2] += rgb[from + 2];
        }
      }
      const to = (row * width + column) * 3;
      for (let channel = 0; channel < 3; channel++) small[to + channel] = Math.round(sums[channel] / count);
    }
  }
  return small;
}

/** Pillow's weights for one axis: for each place, where it starts to read and by how much each pixel counts. */
export function weightsOf(from, to) {
  if (from === to) return Array.from({length: to}, (_, place) => ({start: place, weights: [2 ** PRECISION]}));
  const scale = from / to, stretch = Math.max(scale, 1), reach = 2 * stretch;
  return Array.from({length: to}, (_, place) => {
    const center = (place + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - reach + 0.5));
    const end = Math.min(from, Math.trunc(center + reach + 0.5));
    const raw = Array.from({length: end - start}, (_, at) => bicubic((at + start - center + 0.5) / stretch));
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return {start, weights: raw.map(weight => rounded((weight / sum) * 2 ** PRECISION))};
  });
}

const rounded = value => (value < 0 ? Math.trunc(value - 0.5) : Math.trunc(value + 0.5));

function bicubic(distance) {
  const x = Math.abs(distance), a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/** Resize one line of pixels, which are `fromStep` apart. */
function blend(source, from, fromStep, axis, target, to, toStep) {
  for (let place = 0; place < axis.length; place++) {
    const {start, weights} = axis[place];
    let red = 2 ** (PRECISION - 1), green = red, blue = red, at = from + start * fromStep;
    for (let tap = 0; tap < weights.length; tap++, at += fromStep) {
      red += source[at] * weights[tap];
      green += source[at + 1] * weights[tap];
      blue += source[at + 2] * weights[tap];
    }
    const into = to + place * toStep;
    target[into] = clipped(red);
    target[into + 1] = clipped(green);
    target[into + 2] = clipped(blue);
  }
}

const clipped = sum => Math.min(255, Math.max(0, Math.floor(sum / 2 ** PRECISION)));
