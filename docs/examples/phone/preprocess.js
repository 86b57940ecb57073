// From a photo to the model's input: decoded, upright, over white, and resized as the model's training resized it.
//
// Python's photos go through Pillow, so this follows Pillow to the last bit: a bicubic filter with antialiasing along the
// rows and along the columns, each rounded to 8 bits. What remains different is the browser's decoder of JPEGs.

// Rows or columns that are read at once, so that a photo of 50 megapixels needs no canvas of its size.
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
  const full = {width: Math.ceil(bitmap.width / factor), height: Math.ceil(bitmap.height / factor)};
  const across = weightsOf(full.width, width), down = weightsOf(full.height, height);
  const pixels = new Uint8Array(height * width * 3);
  // Pillow's order: along the columns first where that makes the picture smaller sooner.
  if (full.height > height && full.height - height > 2 * (full.width - width)) {
    const low = new Uint8Array(height * full.width * 3);
    for (let left = 0; left < full.width; left += STRIP) {
      const part = read(bitmap, {left, top: 0, width: Math.min(STRIP, full.width - left), height: full.height}, factor);
      for (let column = 0; column < part.width; column++) {
        blend(part.rgb, column * 3, part.width * 3, down, low, (left + column) * 3, full.width * 3);
      }
    }
    for (let row = 0; row < height; row++) blend(low, row * full.width * 3, 3, across, pixels, row * width * 3, 3);
  } else {
    const narrow = new Uint8Array(full.height * width * 3);
    for (let top = 0; top < full.height; top += STRIP) {
      const part = read(bitmap, {left: 0, top, width: full.width, height: Math.min(STRIP, full.height - top)}, factor);
      for (let row = 0; row < part.height; row++) {
        blend(part.rgb, row * full.width * 3, 3, across, narrow, (top + row) * width * 3, 3);
      }
    }
    for (let column = 0; column < width; column++) blend(narrow, column * 3, width * 3, down, pixels, column * 3, width * 3);
  }
  return pixels;
}

/** A part of a picture over white, made smaller by a factor: {rgb, width, height}; rgb is uint8, (height, width, 3). */
function read(bitmap, {left, top, width, height}, factor) {
  const place = [left * factor, top * factor];
  const size = [Math.min(width * factor, bitmap.width - place[0]), Math.min(height * factor, bitmap.height - place[1])];
  const canvas = new OffscreenCanvas(...size), context = canvas.getContext("2d", {willReadFrequently: true});
  context.fillStyle = "#fff";
  context.fillRect(0, 0, ...size);
  context.drawImage(bitmap, ...place, ...size, 0, 0, ...size);
  return {rgb: shrunk(context.getImageData(0, 0, ...size).data, size, factor, width, height), width, height};
}

/**
 * RGB of RGBA pixels, each square of factor x factor as one: about what a JPEG decoder does that reads a photo smaller.
 * Past the end, the last row and column are repeated.
 */
function shrunk(rgba, [fromWidth, fromHeight], factor, width, height) {
  const small = new Uint8Array(height * width * 3), count = factor * factor;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      let red = 0, green = 0, blue = 0;
      for (let y = row * factor; y < (row + 1) * factor; y++) {
        for (let x = column * factor; x < (column + 1) * factor; x++) {
          const from = (Math.min(y, fromHeight - 1) * fromWidth + Math.min(x, fromWidth - 1)) * 4;
          red += rgba[from];
          green += rgba[from + 1];
          blue += rgba[from + 2];
        }
      }
      const to = (row * width + column) * 3;
      small[to] = Math.round(red / count);
      small[to + 1] = Math.round(green / count);
      small[to + 2] = Math.round(blue / count);
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
